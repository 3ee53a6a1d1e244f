/** Permissions of a job and a table: who may what and why, giving a right, restricting. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { newMember } from '../fixtures/people.ts';

interface Made {
  id: string;
}

test('permissions: a right is given, changed and withdrawn, and a job is restricted', async ({ page, ownTeam: team, complaints }) => {
  const job = await team.post<Made>('jobs', { name: 'Guarded job', sql: 'SELECT 1' });
  const { email } = await newMember(team, 'Gwen Guest', 'viewer');

  await page.goto(team.at(`jobs/${job.id}/overview`));
  await page.getByRole('link', { name: 'Permissions', exact: true }).click();
  await expect(page).toHaveURL(/\/permissions$/);
  const table = page.getByRole('table', { name: 'Permissions' });
  const guest = table.getByRole('row', { name: /Gwen Guest/ });
  await expect(guest).toContainText('viewer of the team');
  await expectAccessible(page);

  await page.getByRole('button', { name: 'Give a right' }).click();
  const dialog = page.getByRole('dialog', { name: 'Give a right' });
  complaints.expect(/400/);
  await dialog.getByLabel('E-mail').fill('nobody@example.org');
  await dialog.getByRole('button', { name: 'Give a right' }).click();
  await expect(dialog.getByText('There is no user with this e-mail address.')).toBeVisible();
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByLabel('Right').selectOption('write');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Give a right' }).click();
  await expect(dialog).toBeHidden();
  const right = table.getByRole('combobox', { name: 'Right of Gwen Guest' });
  await expect(right).toHaveValue('write');
  await right.selectOption('manage');
  await expect(page.getByText('Gwen Guest: manage')).toBeVisible();
  await expect(page.getByRole('main').getByText('Shared', { exact: true })).toBeVisible();

  await page.getByRole('button', { name: 'Restrict', exact: true }).click();
  const confirm = page.getByRole('dialog', { name: 'Restrict Guarded job?' });
  await confirm.getByRole('button', { name: 'Restrict', exact: true }).click();
  await expect(confirm).toBeHidden();
  await expect(guest).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Open to the team' })).toBeVisible();
  await takePictures(page, 'permissions');

  await table.getByRole('button', { name: 'Withdraw the right of Gwen Guest' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw', exact: true }).click();
  await expect(guest).toHaveCount(0);

  await page.goto(team.at('jobs'));
  await expect(page.getByRole('row', { name: /Guarded job/ }).getByText('Restricted')).toBeVisible();
});
