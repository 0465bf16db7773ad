package stripefake

import (
	"slices"
	"strings"
)

// included holds the lists that the API includes in an object only if the request expands them, by kind and
// field.
var included = map[string]func(*account, object) []any{
	"checkout.session.line_items": lines,
	"charge.refunds": func(a *account, ch object) []any {
		list := []any{}
		for _, re := range slices.Backward(a.where("refund", "charge", ch.str("id"))) {
			list = append(list, re)
		}
		return list
	},
}

// expand replaces ids by their objects, along each path of expand[] (docs.stripe.com/api/expanding_objects).
func (c *call) expand(result any) (any, error) {
	o, ok := result.(object)
	if !ok {
		return result, nil
	}
	result = c.shown(o)
	for _, p := range c.p.list("expand") {
		steps := strings.Split(p, ".")
		if len(steps) > 5 {
			return nil, invalid("", "expand", "You cannot expand more than 4 levels of a property")
		}
		var err error
		if result, err = c.expandPath(result, steps, p); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// expandPath returns v with the objects along steps inserted. It does not change the stored objects.
func (c *call) expandPath(v any, steps []string, path string) (any, error) {
	if len(steps) == 0 {
		return v, nil
	}
	switch v := v.(type) {
	case []any:
		expanded := make([]any, len(v))
		for i, item := range v {
			var err error
			if expanded[i], err = c.expandPath(item, steps, path); err != nil {
				return nil, err
			}
		}
		return expanded, nil
	case object:
		field := steps[0]
		value, known := v[field]
		if list := included[v.str("object")+"."+field]; list != nil && value == nil {
			items := list(c.a, v)
			value, known = object{"object": "list", "data": items, "has_more": false,
				"url": "/v1/" + strings.ReplaceAll(v.str("object"), ".", "/") + "s/" + v.str("id") + "/" + field}, true
		}
		if !known {
			return nil, invalid("", "expand", "This property cannot be expanded ("+path+").")
		}
		if id, ok := value.(string); ok {
			named := c.a.find(id)
			if named == nil {
				return nil, invalid("", "expand", "This property cannot be expanded ("+path+").")
			}
			value = c.shown(named)
		}
		expanded, err := c.expandPath(value, steps[1:], path)
		if err != nil {
			return nil, err
		}
		return v.with(object{field: expanded}), nil
	}
	return v, nil // null expands to null
}

// shown returns an object as the API shows it now: a balance transaction becomes available when the clock
// reaches available_on.
func (t *transaction) shown(o object) object {
	switch o.str("object") {
	case "balance_transaction":
		if o.num("available_on") <= t.now {
			return o.with(object{"status": "available"})
		}
	case "list", "search_result":
		data, _ := o["data"].([]any)
		seen := make([]any, len(data))
		for i, item := range data {
			seen[i] = t.shown(item.(object)) // lists hold objects
		}
		return o.with(object{"data": seen})
	}
	return o
}
