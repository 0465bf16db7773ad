package stripefake

import (
	"fmt"
	"strings"
)

// readLines returns Stripe's line items, their total in minor units and their currency.
func (c *call) readLines() ([]any, int64, string, error) {
	var total int64
	var currency string
	items := []any{}
	for i, v := range c.p.sub("line_items").items() {
		at := fmt.Sprintf("line_items[%d]", i)
		p, _ := v.(params)
		data := p.sub("price_data")
		amount, given, err := data.int("unit_amount")
		quantity, counted, err2 := p.int("quantity")
		switch {
		case err != nil:
			return nil, 0, "", err
		case err2 != nil:
			return nil, 0, "", err2
		case data == nil:
			return nil, 0, "", missing(at + "[price_data]")
		case !given || amount < 0:
			return nil, 0, "", invalid("parameter_invalid_integer", at+"[price_data][unit_amount]", "This value must be greater than or equal to 0.")
		case !counted || quantity < 1:
			return nil, 0, "", invalid("parameter_invalid_integer", at+"[quantity]", "This value must be greater than or equal to 1.")
		case amount > maxAmount || quantity > maxAmount/max(amount, 1) || total+amount*quantity > maxAmount:
			return nil, 0, "", invalid("amount_too_large", at+"[price_data][unit_amount]", "The total amount must be no more than 99999999 in minor units.")
		case data.sub("product_data").str("name") == "":
			return nil, 0, "", missing(at + "[price_data][product_data][name]")
		}
		if i == 0 {
			currency = strings.ToLower(data.str("currency"))
		}
		if len(currency) != 3 || strings.ToLower(data.str("currency")) != currency {
			return nil, 0, "", invalid("", at+"[price_data][currency]", "All prices on a Checkout session must have the same, valid currency.")
		}
		every, err := data.recurring(at + "[price_data]")
		if err != nil {
			return nil, 0, "", err
		}
		total += amount * quantity
		items = append(items, c.line(data, amount, quantity, currency, every))
	}
	least := minimumAmount[currency]
	if least == 0 {
		least = 50
	}
	switch {
	case c.p.str("mode") == "setup":
		return items, 0, strings.ToLower(c.p.str("currency")), nil
	case len(items) == 0:
		return nil, 0, "", missing("line_items")
	case total < least:
		return nil, 0, "", invalid("amount_too_small", "", "The Checkout Session's total amount due must add up to at least "+
			amountText(least, currency, "en")+" "+currency)
	}
	return items, total, currency, nil
}

// line returns one line item with a new price and a new product.
func (c *call) line(data params, amount, quantity int64, currency string, every object) object {
	name := data.sub("product_data").str("name")
	price := c.newPrice(c.newProduct(name), amount, currency, every)
	return object{
		"id": c.s.newID("li_", 24), "object": "item", "amount_discount": int64(0), "amount_subtotal": amount * quantity,
		"amount_tax": int64(0), "amount_total": amount * quantity, "currency": currency, "description": name,
		"price": price, "quantity": quantity,
	}
}
