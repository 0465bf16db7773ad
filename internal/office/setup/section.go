package setup

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"konbit/internal/platform/money"
)

// section is one mapping of the file while it is read. Each of its methods reads one key. If the value is wrong, the
// method adds a problem to the report and returns the zero value, so that reading continues.
type section struct {
	*report
	what   string // as problems call it: "organisation csio"
	at     position
	values map[string]ast.Node
	broken bool // it is not a mapping: reported once, without a problem for each of its keys
}

// section reads node as a mapping that may contain only those keys.
func (r *report) section(node ast.Node, what string, keys ...string) section {
	s := section{report: r, what: what, at: positionOf(node), values: map[string]ast.Node{}}
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		s.broken = true
		r.addProblem(s.at, "%s is not a list of keys: write key: value, one per line, with any of %s", what, strings.Join(keys, ", "))
		return s
	}
	for _, v := range mapping.Values {
		key, at := v.Key.GetToken().Value, positionOf(v.Key)
		switch {
		case !slices.Contains(keys, key):
			r.addProblem(at, "%s has an unknown key %q: remove it or use one of %s", what, key, strings.Join(keys, ", "))
		case s.values[key] != nil:
			r.addProblem(at, "%s has the key %s twice: keep one (the other stands at line %d)", what, key, positionOf(s.values[key]).line)
		default:
			s.values[key] = v.Value
		}
	}
	return s
}

// positionOfKey returns the position of the value of key; the section's own if there is no such key.
func (s section) positionOfKey(key string) position {
	if v := s.values[key]; v != nil {
		return positionOf(v)
	}
	return s.at
}

func (s section) has(key string) bool { return s.values[key] != nil }

// required returns the value of a key that must exist and not be empty.
func (s section) required(key string) (ast.Node, bool) {
	v := s.values[key]
	switch v.(type) {
	case nil:
		if !s.broken {
			s.addProblem(s.at, "%s has no %s: add %s: …", s.what, key, key)
		}
		return nil, false
	case *ast.NullNode:
		s.addProblem(positionOf(v), "%s: %s is empty: write its value or remove the key", s.what, key)
		return nil, false
	}
	return v, true
}

// text reads one line of text that valid accepts; nil accepts every text. rule says in problems what valid accepts.
func (s section) text(key string, valid func(string) bool, rule string) string {
	v, ok := s.required(key)
	if !ok {
		return ""
	}
	var text string
	switch v := v.(type) {
	case *ast.StringNode:
		text = strings.TrimSpace(v.Value)
	case *ast.LiteralNode:
		text = strings.TrimSpace(v.Value.Value)
	case ast.ScalarNode:
		s.addProblem(positionOf(v), "%s: %s is not a text: put it in quotes: %s: %q", s.what, key, key, v.GetToken().Value)
		return ""
	default:
		s.addProblem(positionOf(v), "%s: %s is not a text: write it plainly on one line, %s: \"…\"", s.what, key, key)
		return ""
	}
	switch {
	case text == "" || strings.ContainsFunc(text, unicode.IsControl):
		s.addProblem(positionOf(v), "%s: %s is empty or has line breaks: write one line of text", s.what, key)
		return ""
	case valid != nil && !valid(text):
		s.addProblem(positionOf(v), "%s: %s cannot be %q: %s", s.what, key, text, rule)
		return ""
	}
	return text
}

// paragraphs is text for a key that may have line breaks; an empty line stands between paragraphs.
func (s section) paragraphs(key string) string {
	v, ok := s.required(key)
	if !ok {
		return ""
	}
	text := ""
	switch v := v.(type) {
	case *ast.StringNode:
		text = v.Value
	case *ast.LiteralNode:
		text = v.Value.Value
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
		s.addProblem(positionOf(v), "%s: %s is not a text: write it in quotes, or on the lines after %s: |", s.what, key, key)
		return ""
	}
	return text
}

// optional is text for a key that may be absent.
func (s section) optional(key string) string {
	if !s.has(key) {
		return ""
	}
	return s.text(key, nil, "")
}

// flag reads an optional true or false.
func (s section) flag(key string) bool {
	if !s.has(key) {
		return false
	}
	v, ok := s.values[key].(*ast.BoolNode)
	if !ok {
		s.addProblem(s.positionOfKey(key), "%s: %s is neither true nor false: write one of them", s.what, key)
		return false
	}
	return v.Value
}

var (
	wholeForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)
	majorForm = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

// integer reads a whole number from 0 to most.
func (s section) integer(key string, most int64, unit string) int64 {
	return s.integerFrom(key, 0, most, unit)
}

// integerFrom reads a whole number from least to most; 0 if it was refused.
func (s section) integerFrom(key string, least, most int64, unit string) int64 {
	v, ok := s.required(key)
	if !ok {
		return 0
	}
	if written := v.GetToken().Value; isNumber(v) && wholeForm.MatchString(written) {
		if n, err := strconv.ParseInt(written, 10, 64); err == nil && n >= least && n <= most {
			return n
		}
	}
	s.addProblem(positionOf(v), "%s: %s is not a number of %s: write a whole one from %d to %d", s.what, key, unit, least, most)
	return 0
}

// amount reads an amount of money in major units and returns minor units, more than zero; 0 if it was refused.
func (s section) amount(key string, c money.Currency) int64 {
	v, ok := s.required(key)
	if !ok {
		return 0
	}
	return s.minorUnits(v, key, c)
}

func (s section) minorUnits(v ast.Node, key string, c money.Currency) int64 {
	written := v.GetToken().Value
	if _, fraction, _ := strings.Cut(written, "."); isNumber(v) && majorForm.MatchString(written) && len(fraction) <= c.Exponent() {
		if a, err := money.Parse(written, c, "en"); err == nil && a.Minor > 0 {
			return a.Minor
		}
	}
	s.addProblem(positionOf(v), "%s: %s has no amount of money in %q: write major units as a plain number above 0, such as 20, with at most %d decimals",
		s.what, key, written, c.Exponent())
	return 0
}

// list reads a list that must not be empty.
func (s section) list(key string) []ast.Node {
	v, ok := s.required(key)
	if !ok {
		return nil
	}
	sequence, ok := v.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 {
		s.addProblem(positionOf(v), "%s: %s is not a list with something in it: write %s: [ … ]", s.what, key, key)
		return nil
	}
	return sequence.Values
}

// subsection reads the mapping under key.
func (s section) subsection(key string, keys ...string) section {
	v, ok := s.required(key)
	if !ok {
		return section{report: s.report, at: s.at, broken: true}
	}
	return s.section(v, s.what+": "+key, keys...)
}

// choices reads a list of some of the allowed texts, each at most once.
func choices[T ~string](s section, key string, allowed []T) []T {
	var chosen []T
	for _, v := range s.list(key) {
		c := T(v.GetToken().Value)
		switch {
		case !slices.Contains(allowed, c):
			s.addProblem(positionOf(v), "%s: %s cannot have %q: choose among %s", s.what, key, string(c), join(allowed))
		case slices.Contains(chosen, c):
			s.addProblem(positionOf(v), "%s: %s has %s twice: remove one", s.what, key, string(c))
		default:
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// choice reads one of the allowed texts.
func choice[T ~string](s section, key string, allowed ...T) T {
	return T(s.text(key, func(t string) bool { return slices.Contains(allowed, T(t)) }, "choose among "+join(allowed)))
}

func join[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, t := range all {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}

func isNumber(v ast.Node) bool {
	return v.Type() == ast.IntegerType || v.Type() == ast.FloatType
}

// positionOf returns where a person looks for node: a mapping over several lines starts at its first key.
func positionOf(node ast.Node) position {
	if node == nil {
		return position{1, 1}
	}
	token := node.GetToken()
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		token = m.Values[0].Key.GetToken()
	}
	return position{token.Position.Line, token.Position.Column}
}

// sortedKeys returns the keys of all the maps in order, each once.
func sortedKeys[K ~string, V any](all ...map[K]V) []K {
	keys := map[K]bool{}
	for _, m := range all {
		for k := range m {
			keys[k] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
