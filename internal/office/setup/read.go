package setup

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"konbit/internal/platform/phrase"
)

// Rules are checks that other packages require of a file. The zero Rules check nothing.
type Rules struct {
	// Languages lists the languages whose catalogue is complete, so that an organisation may offer them; nil allows all
	// known ones.
	Languages []phrase.Language
	// Accent reports an error that says how to fix it if pages cannot be read in a colour; nil allows every colour.
	Accent func(hex string) error
}

// Read is Rules.Read under the zero Rules.
func Read(name string, data []byte) (*File, error) { return Rules{}.Read(name, data) }

// Read reads the declarative file. name is what problems call the file. The error is Problems: everything that is wrong
// with the file at once.
func (rules Rules) Read(name string, data []byte) (*File, error) {
	if rules.Languages == nil {
		rules.Languages = phrase.Known()
	}
	r := &report{file: name, rules: rules}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax yaml.Error
		at, text := position{}, err.Error()
		if errors.As(err, &syntax) {
			at = position{syntax.GetToken().Position.Line, syntax.GetToken().Position.Column}
			text = syntax.GetMessage()
		}
		r.addProblem(at, "this is not YAML: %s", text)
		return nil, r.problems.err()
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		r.addProblem(position{}, "the file is empty or holds several documents: write entities: and organisations: once, without ---")
		return nil, r.problems.err()
	}
	f := r.document(tree.Docs[0].Body)
	if err := r.problems.err(); err != nil {
		return nil, err
	}
	return f, nil
}

func (r *report) document(body ast.Node) *File {
	f := &File{Name: r.file}
	top := r.section(body, "the file", "entities", "organisations")
	entities, accounts := slugs{kind: "entity"}, slugs{kind: "bank account"}
	var all []Entity
	for i, node := range top.list("entities") {
		e := r.entity(node, i)
		r.addPrefix(e, all)
		r.addAccounts(e, &accounts)
		all = append(all, e)
		if entities.add(e.in, e.Slug) {
			f.Entities = append(f.Entities, e)
		}
	}
	organisations := slugs{kind: "organisation"}
	for i, node := range top.list("organisations") {
		o := r.organisation(node, i, all)
		if organisations.add(o.in, o.Slug) {
			f.Organisations = append(f.Organisations, o)
		}
	}
	for _, e := range f.Entities {
		f.checkGivingByMail(e)
	}
	return f
}

// slugs finds a slug used twice.
type slugs struct {
	kind  string
	lines map[string]int
}

// add reports whether slug is used for the first time. It returns false for "", a slug that was refused before.
func (g *slugs) add(s section, slug string) bool {
	if slug == "" {
		return false
	}
	if line, used := g.lines[slug]; used {
		s.addProblem(s.positionOfKey("slug"), "%s: the slug is used at line %d already: give this %s another one or remove it", s.what, line, g.kind)
		return false
	}
	if g.lines == nil {
		g.lines = map[string]int{}
	}
	g.lines[slug] = s.positionOfKey("slug").line
	return true
}

// label returns how problems call the i-th item of a list: by its slug if it has one, otherwise by its number.
func label(kind string, i int, node ast.Node) string {
	if m, ok := node.(*ast.MappingNode); ok {
		for _, v := range m.Values {
			if slug, ok := v.Value.(*ast.StringNode); ok && v.Key.GetToken().Value == "slug" && slug.Value != "" {
				return kind + slug.Value
			}
		}
	}
	return fmt.Sprintf("%snumber %d", kind, i+1)
}

func slugRule(most int) string {
	return fmt.Sprintf("write lower-case letters, digits and single hyphens, at most %d", most)
}
