package view

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// lineWidth is the longest line of an email in plain text, in characters.
const lineWidth = 72

// styles are the declarations of the emails' stylesheet by class. Mail programs ignore stylesheets, so each element of
// an email's HTML has its declarations inline.
type styles map[string]string

var (
	cssRule        = regexp.MustCompile(`\.([a-z-]+)\s*\{\s*([^}]*?)\s*\}`)
	cssVariable    = regexp.MustCompile(`(--[a-z-]+):\s*([^;]+);`)
	cssVariableUse = regexp.MustCompile(`var\((--[a-z-]+)\)`)
)

// readStyles reads the emails' stylesheet. Mail programs do not support CSS variables either: readStyles replaces them
// by their values in the pages' stylesheet for light screens.
func readStyles(fsys fs.FS, file string) (styles, error) {
	pages, err := fs.ReadFile(fsys, "static/app.css")
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	emails, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	root, _, _ := strings.Cut(string(pages), "}")
	tokens := map[string]string{}
	for _, t := range cssVariable.FindAllStringSubmatch(root, -1) {
		tokens[t[1]] = t[2]
	}
	all := styles{}
	for _, r := range cssRule.FindAllStringSubmatch(string(emails), -1) {
		declarations := cssVariableUse.ReplaceAllStringFunc(r[2], func(use string) string {
			return tokens[cssVariableUse.FindStringSubmatch(use)[1]]
		})
		all[r[1]] = strings.Join(strings.Fields(declarations), " ")
	}
	return all, nil
}

var styleUse = regexp.MustCompile(`\{\{style "([^"]*)"\}\}`)

// inline replaces each {{style "class"}} of a template by the declarations of the class. It runs once for each
// template, not for each email.
func (s styles) inline(source string) (string, error) {
	var missing error
	written := styleUse.ReplaceAllStringFunc(source, func(use string) string {
		class := styleUse.FindStringSubmatch(use)[1]
		style, ok := s[class]
		if !ok {
			missing = fmt.Errorf("the emails' stylesheet has no .%s", class)
		}
		return template.HTMLEscapeString(style)
	})
	return strings.ReplaceAll(written, ein, `<span style="`+s["ein"]+`">`+ein+`</span>`), missing
}

// ein is the donee's EIN in a template. inline keeps it on one line; the templates of issued receipts never change.
const ein = "EIN {{.Donee.EIN}}"

// wrap breaks text between words at lineWidth. Lines after the first are indented by indent spaces; the first line is
// measured with the same indent.
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

// pad appends spaces to text up to width characters.
func pad(width int, text string) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// execute returns an email's plain text and HTML.
func (e emailTemplates) execute(data any) (text, html string, err error) {
	var plain, rich bytes.Buffer
	if err := e.text.ExecuteTemplate(&plain, "letter.txt", data); err != nil {
		return "", "", fmt.Errorf("view: %w", err)
	}
	if err := e.html.ExecuteTemplate(&rich, "letter.html", data); err != nil {
		return "", "", fmt.Errorf("view: %w", err)
	}
	return plain.String(), rich.String(), nil
}
