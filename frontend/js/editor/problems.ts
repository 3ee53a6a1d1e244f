// What the server found wrong: wavy lines, red line numbers, and a box below the line with the fix.
import { type Diagnostic, forEachDiagnostic, setDiagnostics } from "@codemirror/lint";
import { type EditorState, type Extension, RangeSet, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, GutterMarker, WidgetType, gutterLineClass } from "@codemirror/view";

/** As it comes over the border: offsets are UTF-16. */
export interface Problem {
  from: number;
  to: number;
  severity: "error" | "warning";
  message: string;
  hint?: string;
  replacement?: string;
}

/** Words of the console, since strings live on its side. */
export interface ProblemWords {
  replace: string;
}

/** More boxes than this would bury the text. */
const BOXES = 3;

class Box extends WidgetType {
  constructor(
    readonly problem: Diagnostic,
    readonly key: string,
  ) {
    super();
  }

  override eq(other: Box): boolean {
    return other.key === this.key;
  }

  toDOM(view: EditorView): HTMLElement {
    // CodeMirror measures the outer element, whose distances must be padding.
    const frame = document.createElement("div");
    frame.className = "editor-hint-frame";
    const box = document.createElement("div");
    box.className = "editor-hint";
    frame.append(box);
    // The problems list says the same to a screen reader.
    box.setAttribute("aria-hidden", "true");
    box.append(this.problem.message + " ");
    const action = this.problem.actions?.[0];
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.className = "link-button";
      button.textContent = action.name;
      button.onmousedown = (event) => {
        event.preventDefault();
        fix(view, this.problem);
      };
      const keys = document.createElement("span");
      keys.innerHTML = "<kbd>Alt</kbd><kbd>Enter</kbd>";
      box.append(button, keys);
    }
    return frame;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

const redNumber = new (class extends GutterMarker {
  override elementClass = "has-error";
})();

function found(state: EditorState): { problem: Diagnostic; from: number; to: number }[] {
  const list: { problem: Diagnostic; from: number; to: number }[] = [];
  forEachDiagnostic(state, (problem, from, to) => list.push({ problem, from, to }));
  return list;
}

function boxes(state: EditorState): DecorationSet {
  const caret = state.doc.lineAt(state.selection.main.head).number;
  const ranges = [];
  for (const { problem, from } of found(state)) {
    if (problem.severity !== "error" || ranges.length >= BOXES) continue;
    const line = state.doc.lineAt(from);
    // No box under the line that is being typed, unless it offers a fix.
    if (line.number === caret && !problem.actions?.length) continue;
    const widget = new Box(problem, `${problem.message}|${problem.actions?.length ?? 0}|${from}`);
    ranges.push(Decoration.widget({ widget, block: true, side: 1 }).range(line.to));
  }
  return Decoration.set(ranges, true);
}

const boxField = StateField.define<DecorationSet>({
  create: boxes,
  update: (_, transaction) => boxes(transaction.state),
  provide: (field) => EditorView.decorations.from(field),
});

const numbers = gutterLineClass.compute(["doc", boxField], (state) =>
  RangeSet.of(
    found(state)
      .filter(({ problem }) => problem.severity === "error")
      .map(({ from }) => redNumber.range(state.doc.lineAt(from).from)),
    true,
  ),
);

export const problems: Extension = [boxField, numbers];

/** Puts the text of the fix in place of the wrong text, as one undo step. */
function fix(view: EditorView, problem: Diagnostic): void {
  const current = found(view.state).find((entry) => entry.problem === problem);
  if (current) problem.actions?.[0]?.apply(view, current.from, current.to);
}

/** Applies the fix nearest to the caret's line; false where there is none. */
export function fixAtCaret(view: EditorView): boolean {
  const caret = view.state.selection.main.head;
  const line = view.state.doc.lineAt(caret);
  const fixable = found(view.state).filter((entry) => entry.problem.actions?.length);
  const here = fixable.filter((entry) => entry.from <= line.to && entry.to >= line.from);
  const entry = here[0] ?? (fixable.length === 1 ? fixable[0] : undefined);
  if (!entry) return false;
  fix(view, entry.problem);
  return true;
}

/** Shows these problems instead of the ones before. */
export function show(view: EditorView, list: readonly Problem[], words: ProblemWords): void {
  const diagnostics = list.map((problem) => diagnostic(view.state.doc, problem, words));
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

function diagnostic(doc: Text, problem: Problem, words: ProblemWords): Diagnostic {
  const from = Math.min(Math.max(problem.from, 0), doc.length);
  const to = Math.min(Math.max(problem.to, from), doc.length);
  const { replacement } = problem;
  return {
    from,
    to,
    severity: problem.severity,
    message: problem.hint ? `${problem.message} ${problem.hint}` : problem.message,
    actions:
      replacement === undefined
        ? []
        : [
            {
              name: words.replace,
              apply(view, start, end) {
                view.dispatch({
                  changes: { from: start, to: end, insert: replacement },
                  selection: { anchor: start + replacement.length },
                  userEvent: "input.fix",
                });
                view.focus();
              },
            },
          ],
  };
}
