package stripefake

import (
	"fmt"
	"slices"
)

var invoiceRoutes = []route{
	{"GET /v1/invoices", listing("subscription", "customer", "status"), listBy("invoice", "subscription", "customer", "status")},
	{"GET /v1/invoices/upcoming", []string{"subscription", "customer"}, upcomingInvoice},
	{"GET /v1/invoices/{id}", nil, retrieve("invoice", "invoice")},
	{"GET /v1/invoices/{id}/lines", listing(), func(c *call) (any, error) {
		inv, err := c.must("invoice", "invoice", c.id(), "id")
		return inv["lines"], err
	}},
	{"POST /v1/invoices/{id}", []string{"metadata.*", "description", "auto_advance"}, updateInvoice},
	{"POST /v1/invoices/{id}/finalize", []string{"auto_advance"}, onInvoice("finalized", []string{"draft"}, finalizeInvoice)},
	{"POST /v1/invoices/{id}/pay", []string{"payment_method", "off_session", "paid_out_of_band"}, payInvoice},
	{"POST /v1/invoices/{id}/void", nil, onInvoice("voided", []string{"open", "uncollectible"},
		func(c *call, inv object) *apiError { c.void(inv); return nil })},
	{"POST /v1/invoices/{id}/mark_uncollectible", nil, onInvoice("marked as uncollectible", []string{"open"},
		func(c *call, inv object) *apiError { c.markUncollectible(inv); return nil })},
}

// onInvoice returns an API function that changes an invoice. It reports an error if the invoice is in none of
// the given states.
func onInvoice(what string, in []string, do func(*call, object) *apiError) func(*call) (any, error) {
	return func(c *call) (any, error) {
		inv, err := c.must("invoice", "invoice", c.id(), "id")
		if err != nil {
			return nil, err
		}
		if !slices.Contains(in, inv.str("status")) {
			return nil, invalid("", "", fmt.Sprintf("You can only pass in %s invoices: this invoice is %s and cannot be %s.", in[0], inv.str("status"), what))
		}
		return inv, orNil(do(c, inv))
	}
}

func updateInvoice(c *call) (any, error) {
	inv, err := c.must("invoice", "invoice", c.id(), "id")
	if err != nil {
		return nil, err
	}
	metadata, err := c.p.metadata(inv.obj("metadata"))
	if err != nil {
		return nil, err
	}
	inv["metadata"] = metadata
	if c.p.has("description") {
		inv["description"] = c.p.text("description")
	}
	if c.p.has("auto_advance") {
		inv["auto_advance"] = c.p.flag("auto_advance")
		if !c.p.flag("auto_advance") {
			inv["next_payment_attempt"] = nil // no automatic retry any more
		}
		if inv.str("status") == "draft" && c.p.flag("auto_advance") {
			inv["next_payment_attempt"] = c.now + finalizeAfter
			c.schedule(c.now+finalizeAfter, "finalize", c.id())
		}
	}
	c.emit("invoice.updated", inv, nil)
	return inv, nil
}

// finalizeInvoice finalizes a draft on request. With auto_advance, the payment is attempted an hour later.
func finalizeInvoice(c *call, inv object) *apiError {
	inv["auto_advance"] = c.p.flag("auto_advance")
	c.finalize(inv)
	if inv.str("status") == "open" && inv.flag("auto_advance") {
		inv["next_payment_attempt"] = c.now + finalizeAfter
		c.schedule(c.now+finalizeAfter, "retry", inv.str("id"))
	}
	return nil
}

// payInvoice attempts the payment now, in addition to the automatic retries. A decline is the error of the
// call and does not change the date of the next retry.
func payInvoice(c *call) (any, error) {
	inv, err := c.must("invoice", "invoice", c.id(), "id")
	if err != nil {
		return nil, err
	}
	switch inv.str("status") {
	case "paid":
		return nil, invalid("", "", "Invoice is already paid")
	case "void":
		return nil, invalid("", "", "You can only pay open invoices. This invoice is void.")
	}
	pm := c.methodFor(inv)
	if id := c.p.str("payment_method"); id != "" {
		if pm, err = c.ownMethod(id, inv.str("customer"), "payment_method"); err != nil {
			return nil, err
		}
	}
	if inv.str("status") == "draft" {
		c.finalize(inv)
	}
	switch {
	case c.p.flag("paid_out_of_band"):
		inv["paid_out_of_band"] = true
		c.paid(inv)
		return inv, nil
	case pm == nil:
		return nil, invalid("", "", "There is no `default_payment_method` set on this Customer or Invoice. Please set one and try again, or pass a `payment_method`.")
	}
	why := c.chargeInvoice(inv, pm)
	if why != nil {
		c.emitFailure(inv)
	}
	return inv, orNil(why)
}

// draftInvoice creates a subscription's invoice for a period from its items and emits no event. extra are lines that
// are paid once.
func (t *transaction) draftInvoice(sub object, reason string, start, end int64, extra []any) object {
	inv := t.a.put(t.invoiceOf(sub, reason, start, end, extra).with(object{"id": t.s.newID("in_", 24)}))
	for i, l := range inv.obj("lines")["data"].([]any) { // type made by invoiceOf
		line := l.(object)
		line["id"], line["invoice"] = t.s.newID("il_", 24), inv["id"]
		inv.obj("lines")["data"].([]any)[i] = line
	}
	inv.obj("lines")["url"] = "/v1/invoices/" + inv.str("id") + "/lines"
	sub["latest_invoice"] = inv["id"]
	delete(t.a.hidden(sub), "proration")
	return inv
}

// invoiceOf returns the invoice that draft would create now, without an id. It does not store it.
func (t *transaction) invoiceOf(sub object, reason string, start, end int64, extra []any) object {
	customer := t.a.get("customer", sub.str("customer"))
	data, total := []any{}, int64(0)
	for _, item := range itemsOf(sub) {
		amount := item.obj("price").num("unit_amount") * item.num("quantity")
		if sub.str("status") == "trialing" {
			amount = 0
		}
		total += amount
		data = append(data, t.invoiceLine(sub, item, amount, start, end))
	}
	if amount := t.a.hidden(sub).num("proration"); amount != 0 && sub.str("id") != "" {
		total += amount
		data = append(data, t.invoiceLine(sub, itemsOf(sub)[0], amount, start, start).with(object{"proration": true, "type": "invoiceitem"}))
	}
	for _, l := range extra {
		line := l.(object) // type made by readLines
		total += line.num("amount_total")
		once := object{"price": line["price"], "quantity": line["quantity"]}
		data = append(data, t.invoiceLine(sub, once, line.num("amount_total"), t.now, t.now).
			with(object{"type": "invoiceitem", "description": line["description"]}))
	}
	if coupon := sub.obj("discount").obj("coupon"); coupon != nil {
		total -= total * coupon.num("percent_off") / 100
	}
	since := start
	if reason == "subscription_cycle" { // the invoice has the period that has ended, its lines have the period that begins
		since = t.a.hidden(sub).num("previous_start")
	}
	return object{
		"object": "invoice", "created": t.now, "livemode": false, "metadata": object{},
		"account_country": "US", "account_name": or(t.a.Title, t.a.Name), "account_tax_ids": nil, "amount_due": total, "amount_paid": int64(0),
		"amount_remaining": total, "amount_shipping": int64(0), "application": nil, "application_fee_amount": nil, "attempt_count": int64(0),
		"attempted": false, "auto_advance": true, "automatic_tax": object{"enabled": false, "liability": nil, "status": nil}, "billing_reason": reason,
		"charge": nil, "collection_method": "charge_automatically", "currency": sub["currency"], "custom_fields": nil, "customer": sub["customer"],
		"customer_address": customer["address"], "customer_email": customer["email"], "customer_name": customer["name"], "customer_phone": nil,
		"customer_shipping": nil, "customer_tax_exempt": "none", "customer_tax_ids": []any{}, "default_payment_method": nil, "default_source": nil,
		"default_tax_rates": []any{}, "description": nil, "discount": nil, "discounts": []any{}, "due_date": nil, "effective_at": nil,
		"ending_balance": nil, "footer": nil, "from_invoice": nil, "hosted_invoice_url": nil, "invoice_pdf": nil, "issuer": object{"type": "self"},
		"last_finalization_error": nil, "latest_revision": nil,
		"lines": object{"object": "list", "data": data, "has_more": false, "total_count": int64(len(data)),
			"url": "/v1/invoices/upcoming/lines"},
		"next_payment_attempt": nil, "number": nil, "on_behalf_of": nil, "paid": false, "paid_out_of_band": false, "payment_intent": nil,
		"payment_settings": object{"default_mandate": nil, "payment_method_options": nil, "payment_method_types": nil},
		"period_end":       start, "period_start": since, "post_payment_credit_notes_amount": int64(0), "pre_payment_credit_notes_amount": int64(0),
		"quote": nil, "receipt_number": nil, "rendering": nil, "shipping_cost": nil, "shipping_details": nil, "starting_balance": int64(0),
		"statement_descriptor": nil, "status": "draft",
		"status_transitions":   object{"finalized_at": nil, "marked_uncollectible_at": nil, "paid_at": nil, "voided_at": nil},
		"subscription":         sub["id"],
		"subscription_details": object{"metadata": sub.obj("metadata").with(nil)}, "subtotal": total, "subtotal_excluding_tax": total, "tax": nil,
		"test_clock": nil, "total": total, "total_discount_amounts": []any{}, "total_excluding_tax": total, "total_tax_amounts": []any{},
		"transfer_data": nil, "webhooks_delivered_at": t.now,
	}
}

// invoiceLine returns one line of an invoice, with the subscription's metadata, which Stripe copies to it.
func (t *transaction) invoiceLine(sub, item object, amount, start, end int64) object {
	price := item.obj("price")
	product := t.a.get("product", price.str("product"))
	return object{
		"object": "line_item", "amount": amount, "amount_excluding_tax": amount, "currency": sub["currency"],
		"description": fmt.Sprintf("%d × %s (at %s)", item.num("quantity"), product.str("name"),
			amountText(price.num("unit_amount"), sub.str("currency"), "en")),
		"discount_amounts": []any{}, "discountable": true, "discounts": []any{}, "livemode": false, "metadata": sub.obj("metadata").with(nil),
		"period": object{"end": end, "start": start}, "plan": planOf(price), "price": price, "proration": false,
		"proration_details": object{"credited_items": nil}, "quantity": item["quantity"], "subscription": sub["id"], "subscription_item": item["id"],
		"tax_amounts": []any{}, "tax_rates": []any{}, "type": "subscription", "unit_amount_excluding_tax": price["unit_amount_decimal"],
	}
}

// upcomingInvoice returns the invoice of the next renewal.
func upcomingInvoice(c *call) (any, error) {
	id := c.p.str("subscription")
	if id == "" {
		for _, sub := range c.a.where("subscription", "customer", c.p.str("customer")) {
			if sub.str("status") != "canceled" {
				id = sub.str("id")
			}
		}
	}
	sub := c.a.get("subscription", id)
	if sub == nil || c.ends(sub) {
		e := invalid("invoice_upcoming_none", "", "No upcoming invoices for customer: "+or(c.p.str("customer"), sub.str("customer")))
		e.status = 404
		return nil, e
	}
	return c.upcoming(sub), nil
}

func (t *transaction) upcoming(sub object) object {
	at := sub.num("current_period_end")
	inv := t.invoiceOf(sub, "upcoming", at, boundaryAfter(anchorOf(sub, intervalOf(sub)), intervalOf(sub), at), nil)
	inv["period_start"], inv["period_end"], inv["created"], inv["next_payment_attempt"] = sub["current_period_start"], at, at, at+finalizeAfter
	return inv
}
