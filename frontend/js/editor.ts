// The SQL editor: CodeMirror behind a handful of calls. Offsets are UTF-16 here; Rust converts.
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from "@codemirror/commands";
import { LanguageSupport, bracketMatching, foldGutter, foldKeymap, indentUnit } from "@codemirror/language";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import { type Ask, type Catalog, sources } from "./editor/completion";
import { flink } from "./editor/dialect";
import { type Problem, type ProblemWords, fixAtCaret, problems, show } from "./editor/problems";
import { type Range, setStatements, statementBar } from "./editor/statement";
import { theme } from "./editor/theme";

export interface Setup {
  doc: string;
  label: string;
  placeholder: string;
  readOnly: boolean;
  words: ProblemWords;
  /** After each change, with the whole text. */
  onChange?: (doc: string) => void;
  onCaret?: (from: number, to: number) => void;
  onRun?: () => void;
  onSave?: () => void;
  onFormat?: () => void;
  ask?: Ask;
}

const NOTHING: Catalog = { databases: [], functions: [] };

/** How long the text must rest before Rust hears of it, in milliseconds. */
const REST = 120;

export class Editor {
  private readonly view: EditorView;
  private readonly language = new Compartment();
  private readonly setup: Setup;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private found = false;
  private gone = false;

  constructor(parent: HTMLElement, setup: Setup) {
    this.setup = setup;
    this.view = new EditorView({ parent, state: this.state(setup.doc) });
  }

  private state(doc: string): EditorState {
    const { setup } = this;
    const command = (run: (() => void) | undefined) => (view: EditorView) => {
      // Who acts on what is written has chosen nothing from the list, which would lie over the text.
      closeCompletion(view);
      this.flush();
      run?.();
      return true;
    };
    return EditorState.create({
      doc,
      extensions: [
        lineNumbers(),
        foldGutter({ openText: "⌄", closedText: "›" }),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        drawSelection(),
        history(),
        bracketMatching(),
        closeBrackets(),
        EditorState.allowMultipleSelections.of(true),
        EditorState.tabSize.of(2),
        indentUnit.of("  "),
        EditorState.readOnly.of(setup.readOnly),
        EditorView.editable.of(!setup.readOnly),
        // What scrolls must be reached by keys, also where the text may not be edited.
        EditorView.contentAttributes.of({
          "aria-label": setup.label,
          spellcheck: "false",
          autocapitalize: "off",
          tabindex: "0",
        }),
        placeholder(setup.placeholder),
        this.language.of(this.sql(NOTHING)),
        problems,
        statementBar,
        theme,
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run: command(setup.onRun) },
            { key: "Mod-s", run: command(setup.onSave), preventDefault: true },
            { key: "Mod-Shift-f", run: command(setup.onFormat), preventDefault: true },
            { key: "Alt-Shift-f", run: command(setup.onFormat) },
            { key: "Alt-Enter", run: fixAtCaret },
            { key: "Mod-f", run: () => this.find() },
            { key: "Tab", run: acceptCompletion },
          ]),
        ),
        // Escape, then Tab leaves the editor; CodeMirror brings that way out itself.
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...historyKeymap,
          ...foldKeymap,
          { key: "Mod-/", run: toggleComment },
          ...defaultKeymap,
          indentWithTab,
        ]),
        // Who turns to something else may be about to leave the page.
        EditorView.domEventHandlers({ blur: () => this.flush() }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.changed();
          if (update.selectionSet || update.docChanged) this.caretMoved();
        }),
      ],
    });
  }

  private sql(catalog: Catalog) {
    const dialect = flink(catalog.functions);
    const server = this.setup.ask;
    // Completion goes on for a moment after the page was left, when nobody is there to be asked.
    const ask: Ask = async (sql, caret) => (this.gone ? null : ((await server?.(sql, caret)) ?? null));
    const completion = server
      ? autocompletion({ override: sources(dialect, catalog, ask), activateOnTypingDelay: 60, icons: false })
      : [];
    return [new LanguageSupport(dialect.language), completion];
  }

  private changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), REST);
  }

  /** Tells of a change that still rests. */
  private flush(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.setup.onChange?.(this.doc());
  }

  private caretMoved(): void {
    const { from, to } = this.view.state.selection.main;
    this.setup.onCaret?.(from, to);
  }

  private find(): boolean {
    if (this.found) return false;
    this.found = true;
    void import("./editor/find").then((module) => module.open(this.view));
    return true;
  }

  doc(): string {
    return this.view.state.doc.toString();
  }

  /** Another text: what was undone before cannot come back. */
  setDoc(doc: string): void {
    if (doc === this.doc()) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const old = this.view.state;
    this.view.setState(this.state(doc));
    this.view.dispatch({ effects: this.language.reconfigure(this.language.get(old) ?? []) });
  }

  /** The same text in another form: one undo step, the caret stays on its line. */
  replaceDoc(doc: string): void {
    if (doc === this.doc()) return;
    const { state } = this.view;
    const line = state.doc.lineAt(state.selection.main.head).number;
    this.view.dispatch({ changes: { from: 0, to: state.doc.length, insert: doc }, userEvent: "input.format" });
    const { doc: text } = this.view.state;
    this.view.dispatch({ selection: { anchor: text.line(Math.min(line, text.lines)).from }, scrollIntoView: true });
  }

  insert(text: string): void {
    this.view.dispatch(this.view.state.replaceSelection(text), { scrollIntoView: true, userEvent: "input.paste" });
    this.view.focus();
  }

  setProblems(json: string): void {
    show(this.view, JSON.parse(json) as Problem[], this.setup.words);
  }

  setStatements(json: string): void {
    this.view.dispatch({ effects: setStatements.of(JSON.parse(json) as Range[]) });
  }

  setCatalog(json: string): void {
    this.view.dispatch({ effects: this.language.reconfigure(this.sql(JSON.parse(json) as Catalog)) });
  }

  select(from: number, to: number): void {
    const { length } = this.view.state.doc;
    this.view.dispatch({
      selection: { anchor: Math.min(from, length), head: Math.min(to, length) },
      effects: EditorView.scrollIntoView(Math.min(from, length), { y: "center" }),
    });
    this.view.focus();
  }

  focus(): void {
    this.view.focus();
  }

  destroy(): void {
    this.flush();
    this.gone = true;
    this.view.destroy();
  }
}

export function create(parent: HTMLElement, setup: Setup): Editor {
  return new Editor(parent, setup);
}
