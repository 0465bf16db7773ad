package phrase

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// words is a phrase cut at its placeholders when it is loaded: literals at even indexes, names of placeholders at odd
// ones.
type words []string

var placeholder = regexp.MustCompile(`\{([a-z][a-z_]*)\}`)

func parse(text string) (words, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the phrase is empty")
	}
	var w words
	from := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		w = append(w, text[from:at[0]], text[at[2]:at[3]])
		from = at[1]
	}
	w = append(w, text[from:])
	for i := 0; i < len(w); i += 2 {
		if strings.ContainsAny(w[i], "{}") {
			return nil, fmt.Errorf("a brace in %q is no {placeholder}", text)
		}
	}
	return w, nil
}

// fill replaces the placeholders; args are pairs of name and value.
func (w words) fill(args []any) string {
	if len(w) == 1 {
		return w[0]
	}
	var b strings.Builder
	for i, part := range w {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		if value, ok := lookup(args, part); ok {
			fmt.Fprint(&b, value)
		} else {
			b.WriteString("{" + part + "}")
		}
	}
	return b.String()
}

func lookup(args []any, name string) (any, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}

// names returns the set of the phrase's placeholders.
func (w words) names() map[string]bool {
	set := map[string]bool{}
	for i := 1; i < len(w); i += 2 {
		set[w[i]] = true
	}
	return set
}
