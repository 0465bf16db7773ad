package stripefake

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultLimit = 10
	maxLimit     = 100
)

// listing returns the parameters that every list accepts, and the given filters.
func listing(filters ...string) []string {
	return append([]string{"limit", "starting_after", "ending_before", "created", "created.*"}, filters...)
}

// retrieve returns an API function that returns one object of a kind by the id in the path.
func retrieve(kind, called string) func(*call) (any, error) {
	return func(c *call) (any, error) { return c.must(kind, called, c.id(), "id") }
}

// must returns an object, or Stripe's error if there is none.
func (c *call) must(kind, called, id, param string) (object, error) {
	o := c.a.get(kind, id)
	if o == nil {
		return nil, noSuch(called, id, param)
	}
	return o, nil
}

// listBy returns an API function that returns a page of objects of a kind. Each filter compares the field of
// the same name.
func listBy(kind string, filters ...string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		return c.page(kind, func(o object) bool {
			for _, f := range filters {
				if c.p.has(f) && o.str(f) != c.p.str(f) {
					return false
				}
			}
			return true
		})
	}
}

// page returns objects newest first, as Stripe does: those after starting_after, or the page just before
// ending_before.
func (c *call) page(kind string, match func(object) bool) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	inRange, err := c.created()
	if err != nil {
		return nil, err
	}
	sh := c.a.collection(kind)
	from, step := len(sh.items)-1, -1
	if id := c.p.str("starting_after"); id != "" {
		at, ok := sh.at[id]
		if !ok {
			return nil, noSuch(kind, id, "starting_after")
		}
		from = at - 1
	} else if id := c.p.str("ending_before"); id != "" {
		at, ok := sh.at[id]
		if !ok {
			return nil, noSuch(kind, id, "ending_before")
		}
		from, step = at+1, 1
	}
	found := []any{}
	more := false
	for i := from; i >= 0 && i < len(sh.items); i += step {
		o := sh.items[i]
		if !isOfHistory(c.r) && c.s.history.hides(o.num("created")) {
			continue
		}
		if !o.flag("deleted") && inRange(o.num("created")) && match(o) {
			if more = int64(len(found)) == limit; more {
				break
			}
			found = append(found, o)
		}
	}
	if step > 0 {
		slices.Reverse(found)
	}
	return object{"object": "list", "data": found, "has_more": more, "url": c.r.URL.Path}, nil
}

func (c *call) limit() (int64, error) {
	limit, given, err := c.p.int("limit")
	switch {
	case err != nil:
		return 0, err
	case !given:
		return defaultLimit, nil
	case limit < 1 || limit > maxLimit:
		return 0, invalid("parameter_invalid_integer", "limit", fmt.Sprintf("This value must be between 1 and %d.", maxLimit))
	}
	return limit, nil
}

// created returns the filter on the creation date: equal to a moment, or any of gt, gte, lt, lte.
func (c *call) created() (func(int64) bool, error) {
	exact, given, err := c.p.int("created")
	if err != nil {
		return nil, err
	}
	bounds := map[string]int64{}
	for key := range c.p.sub("created") {
		if !slices.Contains([]string{"gt", "gte", "lt", "lte"}, key) {
			return nil, invalid("parameter_unknown", "created["+key+"]", "Received unknown parameter: created["+key+"]")
		}
		if bounds[key], _, err = c.p.sub("created").int(key); err != nil {
			return nil, err
		}
	}
	return func(at int64) bool {
		ok := !given || at == exact
		for key, bound := range bounds {
			ok = ok && (key != "gt" || at > bound) && (key != "gte" || at >= bound) && (key != "lt" || at < bound) && (key != "lte" || at <= bound)
		}
		return ok
	}, nil
}

// clause matches one condition of a search: status:"x" or metadata["key"]:"value".
var clause = regexp.MustCompile(`^(?:metadata\[["']([^"'\]]+)["']\]|([\w.]+))(:|>=|<=|>|<)["']?([^"']*)["']?$`)

// search returns an API function for a query of conditions joined by AND. It returns one page of at most 100,
// newest first.
func search(kind string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		limit, err := c.limit()
		if err != nil {
			return nil, err
		}
		var conditions [][]string
		for _, part := range regexp.MustCompile(`(?i)\s+and\s+`).Split(strings.TrimSpace(c.p.str("query")), -1) {
			m := clause.FindStringSubmatch(part)
			if m == nil {
				return nil, invalid("parameter_invalid", "query", `The stand-in reads metadata["key"]:"value", field.field:"value" and field>=1, joined by AND.`)
			}
			conditions = append(conditions, m)
		}
		found := []any{}
		for _, o := range slices.Backward(c.a.collection(kind).items) {
			if int64(len(found)) < limit && !slices.ContainsFunc(conditions, func(m []string) bool { return !holds(o, m) }) {
				found = append(found, o)
			}
		}
		return object{"object": "search_result", "data": found, "has_more": false, "next_page": nil, "url": c.r.URL.Path}, nil
	}
}

// holds reports whether an object satisfies a condition, the submatches of clause.
func holds(o object, condition []string) bool {
	key, field, operator, value := condition[1], condition[2], condition[3], condition[4]
	if key != "" {
		return o.obj("metadata").str(key) == value
	}
	path := strings.Split(field, ".")
	for _, name := range path[:len(path)-1] {
		o = o.obj(name)
	}
	field = path[len(path)-1]
	if operator == ":" {
		return o.str(field) == value
	}
	wanted, err := strconv.ParseInt(value, 10, 64)
	n := o.num(field)
	switch {
	case err != nil:
		return false
	case operator == ">":
		return n > wanted
	case operator == ">=":
		return n >= wanted
	case operator == "<":
		return n < wanted
	}
	return n <= wanted
}
