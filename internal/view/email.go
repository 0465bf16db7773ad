package view

import (
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// lineWidth is how far a plain letter runs before it breaks, in characters.
const lineWidth = 72

// styles are a letter's declarations by class. Mail programs drop style sheets,
// so the HTML of a letter carries them at each element.
type styles map[string]string

var (
	cssRule        = regexp.MustCompile(`\.([a-z-]+)\s*\{\s*([^}]*?)\s*\}`)
	cssVariable    = regexp.MustCompile(`(--[a-z-]+):\s*([^;]+);`)
	cssVariableUse = regexp.MustCompile(`var\((--[a-z-]+)\)`)
)

// readStyles reads the letters' sheet. Mail programs know no variables either:
// they are replaced by the values the pages' sheet gives them on light paper.
func readStyles(fsys fs.FS, file string) (styles, error) {
	pages, err := fs.ReadFile(fsys, "static/app.css")
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	letters, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	root, _, _ := strings.Cut(string(pages), "}")
	tokens := map[string]string{}
	for _, t := range cssVariable.FindAllStringSubmatch(root, -1) {
		tokens[t[1]] = t[2]
	}
	all := styles{}
	for _, r := range cssRule.FindAllStringSubmatch(string(letters), -1) {
		declarations := cssVariableUse.ReplaceAllStringFunc(r[2], func(use string) string {
			return tokens[cssVariableUse.FindStringSubmatch(use)[1]]
		})
		all[r[1]] = strings.Join(strings.Fields(declarations), " ")
	}
	return all, nil
}

var styleUse = regexp.MustCompile(`\{\{style "([^"]*)"\}\}`)

// into writes the declarations where a letter's source says {{style "class"}}: once, and not anew for each letter.
func (s styles) inline(source string) (string, error) {
	var missing error
	written := styleUse.ReplaceAllStringFunc(source, func(use string) string {
		class := styleUse.FindStringSubmatch(use)[1]
		style, ok := s[class]
		if !ok {
			missing = fmt.Errorf("the letters' sheet has no .%s", class)
		}
		return template.HTMLEscapeString(style)
	})
	return written, missing
}

// wrap breaks text between words at lineWidth. Lines after the first begin
// with indent spaces, and the first counts as if it did.
func wrap(indent int, text string) string {
	var b strings.Builder
	column := indent
	for i, word := range strings.Fields(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+width > lineWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	return b.String()
}

// pad fills text up to width with spaces.
func pad(width int, text string) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
