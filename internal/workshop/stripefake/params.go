package stripefake

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params is a request's form as a tree: the value of "a[b][0]" is at a, b, 0. Leaves are strings.
type params map[string]any

// readParams builds the tree from flat form values. Each "a[]" gets the next index.
func readParams(form url.Values) params {
	p := params{}
	for _, key := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[key] {
			p.set(keySteps(key), value)
		}
	}
	return p
}

// keySteps splits "a[b][0]" into a, b, 0.
func keySteps(key string) []string {
	head, rest, nested := strings.Cut(key, "[")
	if !nested {
		return []string{head}
	}
	return append([]string{head}, strings.Split(strings.TrimSuffix(rest, "]"), "][")...)
}

func (p params) set(steps []string, value string) {
	step := steps[0]
	if step == "" {
		step = strconv.Itoa(len(p))
	}
	if len(steps) == 1 {
		p[step] = value
		return
	}
	next, ok := p[step].(params)
	if !ok {
		next = params{}
		p[step] = next
	}
	next.set(steps[1:], value)
}

func (p params) has(key string) bool      { _, ok := p[key]; return ok }
func (p params) str(key string) string    { v, _ := p[key].(string); return v }
func (p params) sub(key string) params    { v, _ := p[key].(params); return v }
func (p params) flag(key string) bool     { return p.str(key) == "true" }
func (p params) text(key string) any      { return orNull(p.str(key)) }
func (p params) strings(key string) []any { return anyList(p.list(key)) }

// list returns an array's leaves in the order of their indexes.
func (p params) list(key string) []string {
	var values []string
	for _, item := range p.sub(key).items() {
		if v, ok := item.(string); ok {
			values = append(values, v)
		}
	}
	return values
}

// items returns an array's elements in the order of their indexes.
func (p params) items() []any {
	keys := slices.Collect(maps.Keys(p))
	slices.SortFunc(keys, func(a, b string) int {
		i, _ := strconv.Atoi(a)
		j, _ := strconv.Atoi(b)
		return i - j
	})
	values := make([]any, len(keys))
	for i, k := range keys {
		values[i] = p[k]
	}
	return values
}

// int returns a whole number; 0 and false if it is missing.
func (p params) int(key string) (int64, bool, error) {
	v, given := p[key].(string)
	if !given {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, true, invalid("parameter_invalid_integer", key, "Invalid integer: "+v)
	}
	return n, true, nil
}

// check reports an error if a parameter matches no entry of accepted. An entry is a path like
// "line_items.*.quantity", in which a star matches any key or index. An empty value is allowed in the place
// of a map or list, which it clears.
func (p params) check(accepted []string) error {
	return p.walk(nil, func(steps []string, leaf string) error {
		for _, entry := range accepted {
			if matches(strings.Split(entry, "."), steps, leaf == "") {
				return nil
			}
		}
		name := steps[0]
		if len(steps) > 1 {
			name += "[" + strings.Join(steps[1:], "][") + "]"
		}
		return invalid("parameter_unknown", name, "Received unknown parameter: "+name)
	})
}

func matches(entry, steps []string, empty bool) bool {
	if len(steps) > len(entry) || (len(steps) < len(entry) && !(empty && entry[len(steps)] == "*")) {
		return false
	}
	for i, step := range steps {
		if entry[i] != "*" && entry[i] != step {
			return false
		}
	}
	return true
}

func (p params) walk(above []string, visit func(steps []string, leaf string) error) error {
	for _, k := range slices.Sorted(maps.Keys(p)) {
		steps := append(slices.Clone(above), k)
		var err error
		if sub, ok := p[k].(params); ok {
			err = sub.walk(steps, visit)
		} else {
			err = visit(steps, p.str(k))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// metadata merges the given keys into old by Stripe's rules: an empty value removes its key, an empty map
// removes all keys. At most 50 keys of 40 characters with values of 500.
func (p params) metadata(old object) (object, error) {
	if p.has("metadata") && p.sub("metadata") == nil {
		return object{}, nil
	}
	m := old.with(nil)
	if m == nil {
		m = object{}
	}
	for k, v := range p.sub("metadata") {
		value, ok := v.(string)
		switch {
		case !ok || len([]rune(k)) > 40 || len([]rune(value)) > 500:
			return nil, invalid("parameter_invalid_string", "metadata["+k+"]",
				"Metadata keys have at most 40 characters and values at most 500, and values are strings.")
		case value == "":
			delete(m, k)
		default:
			m[k] = value
		}
	}
	if len(m) > 50 {
		return nil, invalid("parameter_invalid", "metadata", "Metadata has at most 50 keys.")
	}
	return m, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func anyList(values []string) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}
