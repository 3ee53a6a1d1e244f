/** The pages for those who are not signed in. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { setTheme } from '../fixtures/picture.ts';

test('sign-in: title, address, what it offers in demo mode, axe in both themes', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveURL(/\/sign-in$/);
  await expect(page).toHaveTitle('Sign in · Millrace');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Sign in" [level=1]
      - button "Continue as demo user"
      - textbox "E-mail"
      - textbox "Password"
      - button "Sign in"
  `);
  await expectAccessible(page);
  await takePictures(page, 'sign-in');
  await setTheme(page, 'dark');
  await expectAccessible(page);
});

test('sign-in: nothing is red before it is sent, then each field says what it lacks', async ({ page }) => {
  await page.goto('/sign-in');
  const email = page.getByRole('textbox', { name: 'E-mail' });
  await expect(email).not.toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(email).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByText('Enter your e-mail address.')).toBeVisible();
  await expect(page.getByText('Enter your password.')).toBeVisible();
});

test('sign-in: a wrong password is refused with a code to quote', async ({ page, complaints }) => {
  complaints.expect(/401/);
  await page.goto('/sign-in');
  await page.getByRole('textbox', { name: 'E-mail' }).fill('nobody@example.org');
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('request');
  await expect(page).toHaveURL(/\/sign-in$/);
});

test('sign-in: the demo user comes in, and back to where they wanted to go', async ({ page }) => {
  await page.goto('/t/demo/tables?q=logs');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByRole('button', { name: 'Continue as demo user' }).click();
  await expect(page).toHaveURL(/\/t\/demo\/tables\?q=logs$/);
  await expect(page.getByRole('heading', { level: 1, name: 'Tables' })).toBeVisible();
});

test('sign-out leads back to the sign-in page', async ({ signedIn: page }) => {
  await page.goto('/settings');
  await page.getByRole('button', { name: /profile$/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in' })).toBeVisible();
});
