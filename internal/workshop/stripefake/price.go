package stripefake

import (
	"fmt"
	"slices"
)

var priceRoutes = []route{
	{"GET /v1/prices/{id}", nil, retrieve("price", "price")},
	{"POST /v1/products", []string{"name", "metadata.*"}, createProduct},
	{"GET /v1/products/{id}", nil, retrieve("product", "product")},
}

func createProduct(c *call) (any, error) {
	metadata, err := c.p.metadata(nil)
	switch {
	case err != nil:
		return nil, err
	case c.p.str("name") == "":
		return nil, missing("name")
	}
	o := c.newProduct(c.p.str("name"))
	o["metadata"], o["active"] = metadata, true
	return o, nil
}

// newProduct creates a product. It is inactive, like a product made by price_data.
func (t *transaction) newProduct(name string) object {
	return t.new("product", "prod_", object{"active": false, "default_price": nil, "description": nil, "features": []any{}, "images": []any{},
		"name": name, "package_dimensions": nil, "shippable": nil, "statement_descriptor": nil, "tax_code": nil, "type": "service",
		"unit_label": nil, "updated": t.now, "url": nil})
}

// newPrice creates a price of one unit in minor units; every is its recurring part, nil for a price paid
// once.
func (t *transaction) newPrice(product object, amount int64, currency string, every object) object {
	kind, recurring := "one_time", any(nil)
	if every != nil {
		kind, recurring = "recurring", every
	}
	return t.new("price", "price_", object{
		"active": false, "billing_scheme": "per_unit", "currency": currency, "custom_unit_amount": nil, "lookup_key": nil, "nickname": nil,
		"product": product["id"], "recurring": recurring, "tax_behavior": "unspecified", "tiers_mode": nil,
		"transform_quantity": nil, "type": kind, "unit_amount": amount, "unit_amount_decimal": fmt.Sprint(amount),
	})
}

// maxIntervals is the maximum interval_count of each interval: three years.
var maxIntervals = map[string]int64{"day": 1095, "week": 156, "month": 36, "year": 3}

// recurring returns the recurring part of price_data; nil if there is none.
func (p params) recurring(at string) (object, error) {
	r := p.sub("recurring")
	if r == nil {
		return nil, nil
	}
	count, given, err := r.int("interval_count")
	if !given {
		count = 1
	}
	most, known := maxIntervals[r.str("interval")]
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, invalid("", at+"[recurring][interval]", "Invalid interval: must be one of day, month, week, or year")
	case count < 1 || count > most:
		return nil, invalid("", at+"[recurring][interval_count]", fmt.Sprintf("Invalid interval_count: a price recurs every 1 to %d times its interval.", most))
	}
	return object{"aggregate_usage": nil, "interval": r.str("interval"), "interval_count": count, "trial_period_days": nil, "usage_type": "licensed"}, nil
}

// priceOf returns the price that an item names, or creates the one its price_data describes; nil without an
// error if the item has neither. Unlike at Checkout, this price_data names an existing product.
func (c *call) priceOf(item params, at string) (object, error) {
	if id := item.str("price"); id != "" {
		return c.must("price", "price", id, at+"[price]")
	}
	data := item.sub("price_data")
	if data == nil {
		return nil, nil
	}
	at += "[price_data]"
	product := c.a.get("product", data.str("product"))
	amount, given, err := data.int("unit_amount")
	every, err2 := data.recurring(at)
	switch {
	case err != nil:
		return nil, err
	case err2 != nil:
		return nil, err2
	case product == nil:
		return nil, noSuch("product", data.str("product"), at+"[product]")
	case len(data.str("currency")) != 3:
		return nil, missing(at + "[currency]")
	case !given || amount < 0 || amount > maxAmount:
		return nil, invalid("parameter_invalid_integer", at+"[unit_amount]", "This value must be from 0 to 99999999.")
	case every == nil:
		return nil, missing(at + "[recurring]")
	}
	return c.newPrice(product, amount, data.str("currency"), every), nil
}

// sameInterval reports whether two prices have the same interval.
func sameInterval(x, y object) bool {
	return !slices.ContainsFunc([]string{"interval", "interval_count"}, func(f string) bool { return x.obj("recurring")[f] != y.obj("recurring")[f] })
}
