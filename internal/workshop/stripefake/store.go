package stripefake

import (
	"encoding/json"
	"maps"
	"slices"
)

// object is an object of Stripe's API. Its values are string, int64, bool, nil, object, []any or raw JSON.
type object map[string]any

func (o object) str(key string) string { v, _ := o[key].(string); return v }
func (o object) num(key string) int64  { v, _ := o[key].(int64); return v }
func (o object) flag(key string) bool  { v, _ := o[key].(bool); return v }
func (o object) obj(key string) object { v, _ := o[key].(object); return v }

// with returns a shallow copy of o with changes applied.
func (o object) with(changes object) object {
	c := maps.Clone(o)
	maps.Copy(c, changes)
	return c
}

// UnmarshalJSON reads whole numbers as int64 and nested objects as object, so that an object read from the state file
// equals the object that was written.
func (o *object) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	*o = make(object, len(fields))
	for key, field := range fields {
		v, err := decode(field)
		if err != nil {
			return err
		}
		(*o)[key] = v
	}
	return nil
}

func decode(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case '{':
		var o object
		err := json.Unmarshal(raw, &o)
		return o, err
	case '[':
		var parts []json.RawMessage
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, err
		}
		list := make([]any, len(parts))
		for i, part := range parts {
			v, err := decode(part)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	var n int64
	if json.Unmarshal(raw, &n) == nil && string(raw) != "null" {
		return n, nil
	}
	var v any
	err := json.Unmarshal(raw, &v)
	return v, err
}

// collection contains the objects of one kind, oldest first; those of a history are put before newer ones. Objects are
// never removed: a deleted object is marked, as at Stripe.
type collection struct {
	items []object
	at    map[string]int
}

func (sh *collection) put(o object) {
	i := len(sh.items)
	for created := o.num("created"); created > 0 && i > 0 && sh.items[i-1].num("created") > created; {
		i--
	}
	sh.items = slices.Insert(sh.items, i, o)
	for ; i < len(sh.items); i++ {
		sh.at[sh.items[i].str("id")] = i
	}
}

// account is the data of one secret key. Server.mu guards it.
type account struct {
	Account
	ID          string
	Collections map[string]*collection `json:"Shelves"` // by Stripe's name of the kind of object
	Secrets     map[string][]string    // signing secrets by webhook endpoint, newest first
	Pending     map[string][]string    // endpoints that have not yet acknowledged an event, by event
	Answers     map[string]*answer     // by idempotency key

	handed *handedOut // for the journal; nil without one
}

func newAccount(a Account, id string) *account {
	return &account{
		Account: a, ID: id,
		Collections: map[string]*collection{}, Secrets: map[string][]string{}, Pending: map[string][]string{},
		Answers: map[string]*answer{},
	}
}

func (a *account) collection(kind string) *collection {
	sh := a.Collections[kind]
	if sh == nil {
		sh = &collection{at: map[string]int{}}
		a.Collections[kind] = sh
	}
	return sh
}

// Objects are changed where they are. So the functions that return one record it: the journal writes all objects that
// were handed out under the lock.

// put stores a new object under its kind and id.
func (a *account) put(o object) object {
	a.collection(o.str("object")).put(o)
	a.touch(o.str("object"), o.str("id"))
	return o
}

// get returns the object of a kind with an id; nil if there is none.
func (a *account) get(kind, id string) object {
	sh := a.collection(kind)
	i, ok := sh.at[id]
	if !ok {
		return nil
	}
	a.touch(kind, id)
	return sh.items[i]
}

// find returns the object of any kind with an id; nil if there is none. The prefix makes ids unique over all kinds.
func (a *account) find(id string) object {
	for kind, sh := range a.Collections {
		if i, ok := sh.at[id]; ok {
			a.touch(kind, id)
			return sh.items[i]
		}
	}
	return nil
}

// where returns the objects of a kind whose field has a value, oldest first.
func (a *account) where(kind, field, value string) []object {
	var found []object
	for _, o := range a.collection(kind).items {
		if o.str(field) == value {
			a.touch(kind, o.str("id"))
			found = append(found, o)
		}
	}
	return found
}

func (a *account) endpoints() []object {
	return slices.DeleteFunc(slices.Clone(a.collection("webhook_endpoint").items), func(o object) bool {
		if !o.flag("deleted") {
			a.touch("webhook_endpoint", o.str("id"))
		}
		return o.flag("deleted")
	})
}
