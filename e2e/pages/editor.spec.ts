/** The editor: completion, errors at their place, preview with live rows, format in one undo step, keyboard. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { write } from '../fixtures/editor.ts';
import { unique } from '../fixtures/names.ts';
import { Team } from '../fixtures/team.ts';

test('editor: an error is shown at its place and fixed from the keyboard', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await expect(page).toHaveTitle('Editor: scratch · Millrace');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - 'heading "Editor: scratch" [level=1]'
      - region "Tables":
        - search:
          - searchbox "Tables, columns"
        - tree "Databases":
          - treeitem /main \\d+/ [expanded]
      - navigation "Open drafts":
        - link "scratch"
        - button /Full screen/
      - region "SQL of scratch":
        - toolbar "Draft actions":
          - button /Preview/
          - button /Format/
          - button "Library"
          - status
          - button /Save as job/
        - textbox "SQL of scratch"
      - complementary "Settings"
      - region "Panels":
        - heading "Problems" [level=2]
        - region "Problems"
        - group "Panel":
          - button "Rows" [pressed]
          - button "Graph"
          - button "History"
        - heading "No preview yet" [level=2]
  `);
  await write(page, 'SELECT auction, prise\nFROM bids;');
  const problem = page.getByRole('region', { name: 'Problems' }).getByRole('button');
  await expect(problem).toContainText('prise');
  await expect(problem).toContainText('line 1, column 17');
  await expect(page.locator('.cm-lintRange-error')).toHaveText('prise');
  await problem.click();
  await expect.poll(() => page.evaluate(() => document.getSelection()?.toString())).toBe('prise');
  await expectAccessible(page);
  await takePictures(page, 'editor-error');
  await page.keyboard.press('Alt+Enter');
  await expect(page.getByText('No problems found.')).toBeVisible();
  await expect(page.locator('.cm-content')).toContainText('price');
});

test('editor: names complete from the catalog', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT auction FROM bids WHERE pri');
  await page.keyboard.press('Control+Space');
  const options = page.getByRole('listbox').getByRole('option');
  await expect(options.filter({ hasText: 'price' }).first()).toBeVisible();
  await takePictures(page, 'editor-completion');
});

test('editor: a preview brings live rows, says what it does not write, and is cancelled on the server', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT MOD(auction, 7) AS part, COUNT(*) AS bids FROM bids GROUP BY MOD(auction, 7);');
  await page.keyboard.press('Control+Enter');
  const rows = page.getByRole('grid', { name: 'Result rows' });
  // The grid follows the newest rows: updates of groups that are long known.
  await expect(rows.getByRole('gridcell', { name: '+U' }).first()).toBeVisible({ timeout: 30_000 });
  await page.getByRole('group', { name: 'Rows as' }).getByRole('button', { name: 'Current rows' }).click();
  await expect(rows.getByText('+U')).toHaveCount(0);
  await expectAccessible(page);
  await takePictures(page, 'editor-preview');
  await rows.focus();
  await page.keyboard.press('ArrowDown');
  await expect(rows).toHaveAttribute('aria-activedescendant', /-1-0$/);

  // Nothing matches: it says what it waits for, until it is cancelled.
  await write(page, 'SELECT auction FROM bids WHERE price < 0;');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText(/^(No record has been read|Records are read)/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel on the server' }).click();
  await expect(page.getByText(/Ended: cancelled/)).toBeVisible();
});

test('editor: format is one undo step, and Escape then Tab leaves the text', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  const sql = 'select auction,price from bids where price>100;';
  await write(page, sql);
  const text = page.locator('.cm-content');
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.keyboard.press('Control+Shift+F');
  await expect(text).not.toHaveText(sql);
  await page.keyboard.press('Control+Z');
  await expect(text).toHaveText(sql);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(text).not.toBeFocused();
});

test('editor: the tables are a tree that the keyboard walks and inserts from', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT * FROM ');
  const tree = page.getByRole('tree', { name: 'Databases' });
  await page.getByRole('searchbox', { name: 'Tables, columns' }).fill('bids_apple');
  const table = tree.getByRole('treeitem', { name: /bids_apple/ });
  // What was found is drawn anew when the server has answered.
  await expect(tree.getByRole('treeitem')).toHaveCount(2);
  await tree.getByRole('treeitem').first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(table).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.cm-content')).toContainText('bids_apple');
});

test('editor: two who edit the same draft do not overwrite each other', async ({ signedIn: page, server, complaints }) => {
  complaints.expect(/409/);
  const team = new Team(page, server);
  const sql = 'INSERT INTO bids_high SELECT auction, bidder, price, bid_time FROM bids WHERE price > 1;';
  const job = await team.post<{ id: string; draft: { revision: number; settings: unknown } }>('jobs', { name: unique('conflict', '_'), sql });
  await page.goto(team.at(`editor/${job.id}`));
  await expect(page.locator('.cm-content')).toContainText('price > 1;');
  const answer = await page.request.put(`${server.url}/api/v1/teams/demo/jobs/${job.id}/draft`, {
    headers: { 'X-Millrace': '1', Origin: server.url },
    data: { sql: sql.replace('> 1', '> 2'), settings: job.draft.settings, revision: job.draft.revision },
  });
  expect(answer.ok()).toBe(true);
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.insertText('\n-- mine');
  await expect(page.getByRole('alert').filter({ hasText: 'Somebody else saved this draft.' })).toBeVisible();
  await page.getByRole('button', { name: 'Load theirs' }).click();
  await expect(page.locator('.cm-content')).toContainText('price > 2;');
  await expect(page.locator('.cm-content')).not.toContainText('-- mine');
});

test('editor: full screen by key and by button, and back', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('editor'));
  const text = page.locator('.cm-content');
  await expect(text).toBeFocused();
  await page.keyboard.press('Shift+Alt+Enter');
  const button = page.getByRole('button', { name: /^Full screen/ });
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeHidden();
  // The key switches and writes nothing.
  await expect(page.locator('.cm-placeholder')).toBeVisible();
  await expect.poll(() => page.locator('.ide').boundingBox()).toEqual({ x: 0, y: 0, ...page.viewportSize() });
  await expectAccessible(page);
  await takePictures(page, 'editor-full');
  await button.click();
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
});

test('editor: what was typed and not saved is offered again, per draft, and gone once it is saved', async ({ signedIn: page, server, complaints }) => {
  complaints.expect(/ERR_FAILED/);
  const team = new Team(page, server);
  const sql = 'INSERT INTO bids_high SELECT auction, bidder, price, bid_time FROM bids WHERE price > 1;';
  const job = await team.post<{ id: string }>('jobs', { name: unique('unsaved', '_'), sql });
  const other = await team.post<{ id: string }>('jobs', { name: unique('other', '_'), sql });
  const text = page.locator('.cm-content:visible');
  const offer = page.getByRole('alert').filter({ hasText: 'Text that was not saved is still here.' });
  // The server takes no draft: as good as a browser that dies before it was asked.
  await page.route('**/draft', (route) => route.abort());
  await page.goto(team.at(`editor/${job.id}`));
  await expect(text).toContainText('price > 1;');
  await expect(offer).toBeHidden();
  await text.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.insertText('\n-- not saved');
  await expect(page.getByText(/^not saved:/)).toBeVisible();
  await page.reload();
  await expect(text).toContainText('price > 1;');
  await expect(offer).toBeVisible();
  await expect(text).not.toContainText('-- not saved');
  await expectAccessible(page);
  await takePictures(page, 'editor-unsaved');
  await page.goto(team.at(`editor/${other.id}`));
  await expect(text).toContainText('price > 1;');
  await expect(offer).toBeHidden();

  await page.unroute('**/draft');
  await page.goto(team.at(`editor/${job.id}`));
  await offer.getByRole('button', { name: 'Put it back' }).click();
  await expect(text).toContainText('-- not saved');
  await expect(offer).toBeHidden();
  await expect(page.getByText(/^saved \d+ s ago/)).toBeVisible();
  await page.reload();
  await expect(text).toContainText('-- not saved');
  await expect(offer).toBeHidden();
});

test('editor: who leaves at once after the last key finds the draft saved', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const job = await team.post<{ id: string }>('jobs', { name: unique('left', '_'), sql: 'SELECT 1;' });
  const saved = async () => (await team.get<{ draft: { sql: string } }>(`jobs/${job.id}`)).draft.sql;
  const text = page.locator('.cm-content:visible');
  const tables = page.getByRole('heading', { level: 1, name: 'Tables' });
  await page.goto(team.at('tables'));
  await expect(tables).toBeVisible();
  await page.goto(team.at(`editor/${job.id}`));
  await expect(text).toHaveText('SELECT 1;');
  await expect(text).toHaveAttribute('contenteditable', 'true');
  await text.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.insertText(' -- last words');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Tables' }).click();
  await expect(tables).toBeVisible();
  await expect.poll(saved).toContain('last words');

  // Going back takes the focus from nothing, and so leaves without a sign: key and way back in one go.
  await page.goBack();
  await expect(text).toContainText('last words');
  await text.click();
  await page.keyboard.press('Control+End');
  await page.evaluate(() => {
    document.execCommand('insertText', false, ' and one more');
    history.forward();
  });
  await expect(tables).toBeVisible();
  await expect.poll(saved).toContain('last words and one more');
});

test('editor: who leaves the scratch at once after the last key finds it as it was', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('editor'));
  await write(page, 'SELECT 1');
  await page.keyboard.insertText(' -- last words');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Tables' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Tables' })).toBeVisible();
  await page.goBack();
  await expect(page.locator('.cm-content:visible')).toContainText('SELECT 1 -- last words');
});

test('editor: past previews are kept with their rows and open again', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, "SELECT 'first' AS a;\n\nSELECT 'second' AS b;");
  await expect(page.getByText('No problems found.')).toBeVisible();
  const grid = page.getByRole('grid', { name: 'Result rows' });
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Control+Enter');
  await expect(grid.getByRole('gridcell', { name: 'first' })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/^Ended:/)).toBeVisible();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('Control+Enter');
  await expect(grid.getByRole('gridcell', { name: 'second' })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/^Ended:/)).toBeVisible();

  await page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'History' }).click();
  const past = page.getByRole('table', { name: 'History' }).getByRole('row').filter({ hasText: "SELECT 'first' AS a" }).first();
  await expect(past).toBeVisible();
  await expect(past).not.toContainText('second');
  await expectAccessible(page);
  await takePictures(page, 'editor-history');
  // It is kept on the server: another page in between takes nothing away.
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Tables' }).click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Editor' }).click();
  await page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'History' }).click();
  await past.getByRole('button', { name: 'Show rows' }).click();
  await expect(grid.getByRole('gridcell', { name: 'first' })).toBeVisible();
  await expect(page.getByText(/Rows of the preview of .*; nothing runs\./)).toBeVisible();
});
