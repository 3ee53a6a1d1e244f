// How the editor looks. Colours are the custom properties of the console, so both themes follow by themselves.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const frame = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface-page)", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: "var(--type-editor)", fontVariantLigatures: "none", overflow: "auto" },
  ".cm-content": { padding: "4px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 16px 0 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-tint-strong)",
  },
  ".cm-activeLine": { backgroundColor: "var(--surface-hover)" },
  ".cm-gutters": { backgroundColor: "var(--surface-page)", color: "var(--text-subtle)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "36px", padding: "0 6px 0 0" },
  ".cm-foldGutter .cm-gutterElement": { padding: "0 4px 0 0", color: "var(--text-subtle)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--surface-hover)", color: "var(--text)" },
  ".cm-gutterElement.has-error": { color: "var(--bad-text)", fontWeight: "600" },
  ".cm-gutterElement.is-statement": { boxShadow: "inset 2px 0 var(--accent-mark)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--surface-press)",
    outline: "1px solid var(--line-control)",
  },
  ".cm-lintRange": { paddingBottom: "0", textUnderlineOffset: "4px", textDecorationSkipInk: "none" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad-mark) 1.5px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn-mark) 1.5px" },
  ".cm-lintPoint::after": { borderBottomColor: "var(--bad-mark)" },
  ".cm-tooltip": {
    border: "0",
    borderRadius: "var(--radius-float)",
    boxShadow: "var(--shadow-menu)",
    backgroundColor: "var(--surface-raised)",
    color: "var(--text)",
    font: "var(--type-13)",
    overflow: "hidden",
  },
  // As exact as CodeMirror's own rules, which would win otherwise; the height is ten rows.
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "var(--type-code)", maxHeight: "260px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px", lineHeight: "20px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    background: "var(--surface-selected)",
    color: "var(--text)",
    boxShadow: "inset 2px 0 var(--accent-mark)",
  },
  ".cm-completionDetail": { color: "var(--text-subtle)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent-text)", fontWeight: "600" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 12px", maxWidth: "360px", whiteSpace: "pre-wrap" },
  ".cm-diagnostic": { padding: "6px 10px", borderLeft: "3px solid var(--bad-mark)", marginLeft: "0" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn-mark)" },
  ".cm-diagnosticAction": {
    backgroundColor: "transparent",
    color: "var(--text-link)",
    fontWeight: "500",
    padding: "0 4px",
  },
  ".cm-panels": { backgroundColor: "var(--surface-chrome)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-panel.cm-search": { font: "var(--type-13)", padding: "6px 10px" },
  ".cm-panel.cm-search input, .cm-panel.cm-search button": { font: "var(--type-13)" },
  ".cm-textfield": {
    backgroundColor: "var(--surface-page)",
    border: "1px solid var(--line-control)",
    borderRadius: "var(--radius-control)",
  },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--surface-raised)",
    border: "1px solid var(--line-strong)",
    borderRadius: "var(--radius-control)",
  },
  ".cm-searchMatch": { backgroundColor: "var(--surface-found)" },
  ".cm-foldPlaceholder": { background: "var(--surface-sunken)", border: "0", color: "var(--text-muted)" },
  ".cm-placeholder": { color: "var(--text-subtle)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.typeName, color: "var(--code-keyword)" },
  { tag: tags.standard(tags.name), color: "var(--code-function)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--code-comment)", fontStyle: "italic" },
]);

export const theme = [frame, syntaxHighlighting(colours)];
