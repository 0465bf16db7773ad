package stripefake

import (
	"slices"
	"strings"
)

// included are the lists that are part of an object only when asked for, by kind and field.
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

// expand replaces ids by the objects they name, along each path of expand[] (docs.stripe.com/api/expanding_objects).
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
func (c *call) expandPath(v any, steps []string, whole string) (any, error) {
	if len(steps) == 0 {
		return v, nil
	}
	switch v := v.(type) {
	case []any:
		grown := make([]any, len(v))
		for i, item := range v {
			var err error
			if grown[i], err = c.expandPath(item, steps, whole); err != nil {
				return nil, err
			}
		}
		return grown, nil
	case object:
		field := steps[0]
		value, known := v[field]
		if list := included[v.str("object")+"."+field]; list != nil && value == nil {
			items := list(c.a, v)
			value, known = object{"object": "list", "data": items, "has_more": false,
				"url": "/v1/" + strings.ReplaceAll(v.str("object"), ".", "/") + "s/" + v.str("id") + "/" + field}, true
		}
		if !known {
			return nil, invalid("", "expand", "This property cannot be expanded ("+whole+").")
		}
		if id, ok := value.(string); ok {
			named := c.a.find(id)
			if named == nil {
				return nil, invalid("", "expand", "This property cannot be expanded ("+whole+").")
			}
			value = c.shown(named)
		}
		grown, err := c.expandPath(value, steps[1:], whole)
		if err != nil {
			return nil, err
		}
		return v.with(object{field: grown}), nil
	}
	return v, nil // null expands to null
}

// shown is an object as it reads at this moment: a balance transaction becomes available by the clock alone.
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
