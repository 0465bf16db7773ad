package stripefake

import "slices"

var itemFields = []string{"items.*.id", "items.*.price", "items.*.quantity", "items.*.deleted", "items.*.metadata.*", "items.*.price_data.currency",
	"items.*.price_data.product", "items.*.price_data.unit_amount", "items.*.price_data.recurring.interval", "items.*.price_data.recurring.interval_count"}

var subscriptionRoutes = []route{
	{"POST /v1/subscriptions", slices.Concat(itemFields, anchorFields, []string{"customer", "default_payment_method",
		"metadata.*", "description", "off_session", "payment_behavior", "proration_behavior"}), createSubscription},
	{"GET /v1/subscriptions", listing("customer", "status", "price"), listSubscriptions},
	{"GET /v1/subscriptions/search", []string{"query", "limit", "page"}, search("subscription")},
	{"GET /v1/subscriptions/{id}", nil, retrieve("subscription", "subscription")},
	{"POST /v1/subscriptions/{id}", slices.Concat(itemFields, []string{"pause_collection", "pause_collection.behavior", "pause_collection.resumes_at",
		"trial_end", "billing_cycle_anchor", "proration_behavior", "metadata.*", "default_payment_method", "cancel_at_period_end", "cancel_at",
		"cancellation_details.comment", "cancellation_details.feedback", "description", "payment_behavior", "off_session"}), updateSubscription},
	{"DELETE /v1/subscriptions/{id}", []string{"invoice_now", "prorate", "cancellation_details.comment", "cancellation_details.feedback"}, cancelSubscription},
}

// newSubscription stores an active subscription whose first period begins now. Each line has a price and a quantity.
func (t *transaction) newSubscription(customer string, pm object, currency string, lines []any, fields object) object {
	every := lines[0].(object).obj("price").obj("recurring") // Checkout has at least one line, and all have the same interval
	sub := t.new("subscription", "sub_", object{
		"application": nil, "application_fee_percent": nil, "automatic_tax": object{"enabled": false, "liability": nil}, "billing_cycle_anchor": t.now,
		"billing_cycle_anchor_config": nil, "billing_thresholds": nil, "cancel_at": nil, "cancel_at_period_end": false, "canceled_at": nil,
		"cancellation_details": object{"comment": nil, "feedback": nil, "reason": nil}, "collection_method": "charge_automatically", "currency": currency,
		"current_period_start": t.now, "customer": customer, "days_until_due": nil,
		"default_payment_method": orNull(pm.str("id")), "default_source": nil, "default_tax_rates": []any{}, "description": nil, "discount": nil,
		"ended_at": nil, "latest_invoice": nil, "next_pending_invoice_item_invoice": nil, "on_behalf_of": nil, "pause_collection": nil,
		"payment_settings":              object{"payment_method_options": nil, "payment_method_types": nil, "save_default_payment_method": "off"},
		"pending_invoice_item_interval": nil, "pending_setup_intent": nil, "pending_update": nil, "schedule": nil, "start_date": t.now,
		"status": "active", "test_clock": nil, "transfer_data": nil, "trial_end": nil,
		"trial_settings": object{"end_behavior": object{"missing_payment_method": "create_invoice"}}, "trial_start": nil,
	}.with(fields))
	sub["current_period_end"] = boundaryAfter(anchorOf(sub, every), every, t.now)
	var items []object
	for _, l := range lines {
		line := l.(object)
		items = append(items, t.newItem(sub, line.obj("price"), line.num("quantity")))
	}
	setItems(sub, items)
	t.scheduleRenewal(sub)
	return sub
}

func (t *transaction) newItem(sub, price object, quantity int64) object {
	return object{"id": t.s.newID("si_", 14), "object": "subscription_item", "billing_thresholds": nil, "created": t.now, "metadata": object{},
		"plan": planOf(price), "price": price, "quantity": quantity, "subscription": sub["id"], "tax_rates": []any{}}
}

// planOf returns a price as the older field plan shows it.
func planOf(price object) any {
	every := price.obj("recurring")
	if every == nil {
		return nil
	}
	return object{"id": price["id"], "object": "plan", "active": false, "amount": price["unit_amount"], "amount_decimal": price["unit_amount_decimal"],
		"billing_scheme": "per_unit", "created": price["created"], "currency": price["currency"], "interval": every["interval"],
		"interval_count": every["interval_count"], "livemode": false, "metadata": object{}, "nickname": nil, "product": price["product"],
		"tiers_mode": nil, "transform_usage": nil, "trial_period_days": nil, "usage_type": "licensed"}
}

func itemsOf(sub object) []object {
	var items []object
	data, _ := sub.obj("items")["data"].([]any)
	for _, item := range data {
		items = append(items, item.(object)) // setItems stores objects
	}
	return items
}

func setItems(sub object, items []object) {
	data := []any{}
	for _, item := range items {
		data = append(data, item)
	}
	sub["items"] = object{"object": "list", "data": data, "has_more": false, "total_count": int64(len(data)),
		"url": "/v1/subscription_items?subscription=" + sub.str("id")}
}

// intervalOf returns how often a subscription renews.
func intervalOf(sub object) object { return itemsOf(sub)[0].obj("price").obj("recurring") }

// createSubscription creates a subscription without a page, on a card of the customer. Its first invoice must be
// payable at once, as with payment_behavior=error_if_incomplete; the stand-in has no incomplete subscriptions.
func createSubscription(c *call) (any, error) {
	customer, err := c.customer(c.p.str("customer"), "customer")
	if err != nil {
		return nil, err
	}
	id := or(c.p.str("default_payment_method"), customer.obj("invoice_settings").str("default_payment_method"))
	if id == "" {
		return nil, invalid("resource_missing", "", "This customer has no attached payment source or default payment "+
			"method. Please consider adding a default payment method. For more information, visit "+
			"https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.")
	}
	pm, err := c.ownMethod(id, customer.str("id"), "default_payment_method")
	if err != nil {
		return nil, err
	}
	items, err := c.readItems(nil, "items")
	if err != nil {
		return nil, err
	}
	metadata, err := c.p.metadata(nil)
	if err != nil {
		return nil, err
	}
	anchor, err := c.readAnchor(items[0].obj("price").obj("recurring"))
	if err != nil {
		return nil, err
	}
	if anchor == nil {
		if why := c.outcomeFor(pm); why != nil {
			return nil, why
		}
	}
	lines := []any{}
	for _, item := range items {
		lines = append(lines, item)
	}
	own := c.a.get("payment_method", c.p.str("default_payment_method"))
	sub := c.newSubscription(customer.str("id"), own, items[0].obj("price").str("currency"), lines,
		object{"metadata": metadata, "description": c.p.text("description")}.with(anchor))
	c.emit("customer.subscription.created", sub, nil)
	if anchor != nil {
		return sub, nil // no payment is due until then
	}
	inv := c.draftInvoice(sub, "subscription_create", c.now, sub.num("current_period_end"), nil)
	c.emit("invoice.created", inv, nil)
	c.finalize(inv)
	c.collectInvoice(inv)
	return sub, nil
}

func listSubscriptions(c *call) (any, error) {
	status := c.p.str("status")
	return c.page("subscription", func(o object) bool {
		switch {
		case c.p.has("customer") && o.str("customer") != c.p.str("customer"):
			return false
		case c.p.has("price") && !slices.ContainsFunc(itemsOf(o), func(item object) bool { return item.obj("price").str("id") == c.p.str("price") }):
			return false
		case status == "": // all subscriptions that have not ended
			return o.str("status") != "canceled"
		case status == "ended":
			return o.str("status") == "canceled"
		}
		return status == "all" || o.str("status") == status
	})
}

// cancelSubscription ends a subscription at once. A subscription with a schedule can only be ended by its schedule.
func cancelSubscription(c *call) (any, error) {
	sub, err := c.must("subscription", "subscription", c.id(), "id")
	switch {
	case err != nil:
		return nil, err
	case sub.str("status") == "canceled":
		return nil, noSuch("subscription", c.id(), "id")
	case sub["schedule"] != nil:
		return nil, scheduled(sub)
	case c.p.flag("prorate") || c.p.flag("invoice_now"):
		return nil, noProration("prorate")
	}
	c.cancellationDetails(sub)
	c.end(sub, "cancellation_requested")
	return sub, nil
}

func (c *call) cancellationDetails(sub object) {
	p := c.p.sub("cancellation_details")
	for _, key := range []string{"comment", "feedback"} {
		if p.has(key) {
			sub["cancellation_details"] = sub.obj("cancellation_details").with(object{key: p.text(key)})
		}
	}
}

func scheduled(sub object) error {
	return invalid("", "", "The subscription is managed by the subscription schedule `"+sub.str("schedule")+"`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.")
}

// noProration reports an error if Stripe would prorate. Konbit never wants proration, so a call without
// proration_behavior=none is a mistake, and every test finds it without reading an invoice.
func noProration(param string) error {
	return invalid("", param, "The stand-in does not prorate, and this would: pass proration_behavior=none (Stripe's default is create_prorations).")
}
