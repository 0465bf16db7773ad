package stripefake

import "strings"

var customerFields = []string{"email", "name", "phone", "description", "metadata.*", "preferred_locales.*",
	"invoice_settings.default_payment_method", "address.line1", "address.line2", "address.city", "address.state", "address.postal_code", "address.country"}

var customerRoutes = []route{
	{"POST /v1/customers", customerFields, func(c *call) (any, error) {
		fields, err := c.customerFields(nil)
		if err != nil {
			return nil, err
		}
		return c.newCustomer(fields), nil
	}},
	{"POST /v1/customers/{id}", customerFields, updateCustomer},
	{"GET /v1/customers", listing("email"), listBy("customer", "email")},
	{"GET /v1/customers/search", []string{"query", "limit", "page"}, search("customer")},
	{"GET /v1/customers/{id}", nil, getCustomer},
	{"DELETE /v1/customers/{id}", nil, deleteCustomer},
}

// newCustomer creates a customer and emits customer.created.
func (t *transaction) newCustomer(fields object) object {
	o := t.new("customer", "cus_", object{
		"address": nil, "balance": int64(0), "currency": nil, "default_source": nil, "delinquent": false, "description": nil,
		"discount": nil, "email": nil, "invoice_prefix": strings.ToUpper(t.s.newID("", 8)),
		"invoice_settings": object{"custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil},
		"name":             nil, "next_invoice_sequence": int64(1), "phone": nil, "preferred_locales": []any{}, "shipping": nil,
		"tax_exempt": "none", "test_clock": nil,
	}.with(fields))
	t.emit("customer.created", o, nil)
	return o
}

// customerFields returns the fields of a customer that the request changes.
func (c *call) customerFields(old object) (object, error) {
	metadata, err := c.p.metadata(old.obj("metadata"))
	if err != nil {
		return nil, err
	}
	if email := c.p.str("email"); email != "" && !validEmail(email) {
		return nil, invalid("email_invalid", "email", "Invalid email address: "+email)
	}
	fields := object{"metadata": metadata}
	for _, key := range []string{"email", "name", "phone", "description"} {
		if c.p.has(key) {
			fields[key] = c.p.text(key)
		}
	}
	if c.p.has("preferred_locales") {
		fields["preferred_locales"] = c.p.strings("preferred_locales")
	}
	if a := c.p.sub("address"); a != nil {
		fields["address"] = object{"city": a.text("city"), "country": a.text("country"), "line1": a.text("line1"),
			"line2": a.text("line2"), "postal_code": a.text("postal_code"), "state": a.text("state")}
	}
	if settings := c.p.sub("invoice_settings"); settings.has("default_payment_method") {
		id := settings.str("default_payment_method")
		if id != "" {
			if _, err := c.ownMethod(id, c.id(), "invoice_settings[default_payment_method]"); err != nil {
				return nil, err
			}
		}
		fields["invoice_settings"] = old.obj("invoice_settings").with(object{"default_payment_method": orNull(id)})
	}
	return fields, nil
}

func updateCustomer(c *call) (any, error) {
	o, err := c.must("customer", "customer", c.id(), "id")
	if err != nil || o.flag("deleted") {
		return nil, noSuch("customer", c.id(), "id")
	}
	fields, err := c.customerFields(o)
	if err != nil {
		return nil, err
	}
	before := object{}
	for key, value := range fields {
		before[key] = o[key]
		o[key] = value
	}
	c.emit("customer.updated", o, before)
	return o, nil
}

func getCustomer(c *call) (any, error) {
	o, err := c.must("customer", "customer", c.id(), "id")
	if err == nil && o.flag("deleted") {
		return object{"id": o["id"], "object": "customer", "deleted": true}, nil
	}
	return o, err
}

func deleteCustomer(c *call) (any, error) {
	o, err := c.must("customer", "customer", c.id(), "id")
	if err != nil || o.flag("deleted") {
		return nil, noSuch("customer", c.id(), "id")
	}
	for _, sub := range c.a.where("subscription", "customer", c.id()) {
		c.end(sub, "cancellation_requested")
	}
	c.emit("customer.deleted", o, nil)
	o["deleted"] = true
	return object{"id": o["id"], "object": "customer", "deleted": true}, nil
}
