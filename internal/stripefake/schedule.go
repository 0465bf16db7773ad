package stripefake

import (
	"fmt"
	"slices"
)

var phaseFields = []string{"phases.*.start_date", "phases.*.end_date", "phases.*.iterations", "phases.*.proration_behavior", "phases.*.metadata.*",
	"phases.*.default_payment_method", "phases.*.currency", "phases.*.items.*.price", "phases.*.items.*.quantity", "phases.*.items.*.metadata.*",
	"phases.*.items.*.price_data.currency", "phases.*.items.*.price_data.product", "phases.*.items.*.price_data.unit_amount",
	"phases.*.items.*.price_data.recurring.interval", "phases.*.items.*.price_data.recurring.interval_count"}

var scheduleRoutes = []route{
	{"POST /v1/subscription_schedules", slices.Concat(phaseFields, []string{"from_subscription", "customer", "start_date", "end_behavior", "metadata.*"}), createSchedule},
	{"GET /v1/subscription_schedules", listing("customer"), listBy("subscription_schedule", "customer")},
	{"GET /v1/subscription_schedules/{id}", nil, retrieve("subscription_schedule", "subscription_schedule")},
	{"POST /v1/subscription_schedules/{id}", slices.Concat(phaseFields, []string{"end_behavior", "proration_behavior", "metadata.*"}), updateSchedule},
	{"POST /v1/subscription_schedules/{id}/release", []string{"preserve_cancel_date"}, releaseSchedule},
	{"POST /v1/subscription_schedules/{id}/cancel", []string{"invoice_now", "prorate"}, cancelSchedule},
}

// createSchedule puts a running subscription under a schedule of one phase, its present period. Stripe takes no other
// parameter beside from_subscription; a schedule that begins a subscription is not of the stand-in's.
func createSchedule(c *call) (any, error) {
	id := c.p.str("from_subscription")
	if id == "" {
		return nil, missing("from_subscription")
	}
	for _, other := range []string{"customer", "start_date", "end_behavior", "metadata", "phases"} {
		if c.p.has(other) {
			return nil, invalid("", other, "You cannot set `"+other+"` if `from_subscription` is set.")
		}
	}
	sub, err := c.must("subscription", "subscription", id, "from_subscription")
	switch {
	case err != nil:
		return nil, err
	case sub["schedule"] != nil:
		return nil, invalid("", "from_subscription", "You cannot migrate a subscription that is already attached to a schedule: `"+sub.str("schedule")+"`.")
	case sub.str("status") == "canceled":
		return nil, invalid("", "from_subscription", "You cannot migrate a subscription that is canceled.")
	}
	before := sub.with(nil)
	phase := phaseOf(sub, sub.num("current_period_start"), sub.num("current_period_end"))
	o := c.new("subscription_schedule", "sub_sched_", object{
		"application": nil, "canceled_at": nil, "completed_at": nil, "current_phase": span(phase), "customer": sub["customer"],
		"default_settings": object{"application_fee_percent": nil, "automatic_tax": object{"enabled": false, "liability": nil}, "billing_cycle_anchor": "automatic",
			"billing_thresholds": nil, "collection_method": "charge_automatically", "default_payment_method": sub["default_payment_method"], "default_source": nil,
			"description": nil, "invoice_settings": object{"account_tax_ids": nil, "days_until_due": nil, "issuer": object{"type": "self"}}, "on_behalf_of": nil, "transfer_data": nil},
		"end_behavior": "release", "phases": []any{phase}, "released_at": nil, "released_subscription": nil, "renewal_interval": nil,
		"status": "active", "subscription": id, "test_clock": nil,
	})
	if sub.flag("cancel_at_period_end") {
		o["end_behavior"] = "cancel"
	}
	sub["schedule"] = o["id"]
	c.awaitPhases(o)
	c.emit("subscription_schedule.created", o, nil)
	c.updated(sub, before)
	return o, nil
}

// phaseOf is a phase of what the subscription bills now.
func phaseOf(sub object, start, end int64) object {
	items := []any{}
	for _, item := range itemsOf(sub) {
		items = append(items, phaseItem(item.obj("price"), item.num("quantity")))
	}
	return object{"add_invoice_items": []any{}, "application_fee_percent": nil, "automatic_tax": object{"enabled": false, "liability": nil},
		"billing_cycle_anchor": nil, "billing_thresholds": nil, "collection_method": "charge_automatically", "coupon": nil, "currency": sub["currency"],
		"default_payment_method": sub["default_payment_method"], "default_tax_rates": []any{}, "description": nil, "end_date": end, "invoice_settings": nil,
		"items": items, "metadata": object{}, "on_behalf_of": nil, "proration_behavior": "create_prorations", "start_date": start,
		"transfer_data": nil, "trial_end": nil}
}

func phaseItem(price object, quantity int64) object {
	return object{"billing_thresholds": nil, "metadata": object{}, "plan": price["id"], "price": price["id"], "quantity": quantity, "tax_rates": []any{}}
}

func span(phase object) object {
	return object{"end_date": phase["end_date"], "start_date": phase["start_date"]}
}

func phasesOf(schedule object) []object {
	var phases []object
	list, _ := schedule["phases"].([]any)
	for _, p := range list {
		phases = append(phases, p.(object)) // as they are put there
	}
	return phases
}

func updateSchedule(c *call) (any, error) {
	o, err := c.running("updated")
	if err != nil {
		return nil, err
	}
	metadata, err := c.p.metadata(o.obj("metadata"))
	if err != nil {
		return nil, err
	}
	behaviour := or(c.p.str("end_behavior"), o.str("end_behavior"))
	if behaviour != "cancel" && behaviour != "release" {
		return nil, invalid("", "end_behavior", "Invalid end_behavior: must be one of cancel or release")
	}
	sub := c.a.get("subscription", o.str("subscription"))
	var phases []object
	if c.p.has("phases") {
		if phases, err = c.readPhases(o, sub); err != nil {
			return nil, err
		}
	}
	before, was := o.with(nil), sub.with(nil)
	o["metadata"], o["end_behavior"] = metadata, behaviour
	if phases != nil {
		list := []any{}
		for _, p := range phases {
			list = append(list, p)
		}
		o["phases"], o["current_phase"] = list, span(phases[0])
		c.applyPhase(phases[0], sub)
	}
	sub["cancel_at"], sub["canceled_at"], sub["cancel_at_period_end"] = nil, nil, false
	if last := phasesOf(o)[len(phasesOf(o))-1]; behaviour == "cancel" {
		sub["cancel_at"], sub["canceled_at"] = last["end_date"], c.now
	}
	c.awaitPhases(o)
	c.emit("subscription_schedule.updated", o, object{"phases": before["phases"], "end_behavior": before["end_behavior"]})
	c.updated(sub, was)
	c.turnPhase(o)
	return o, nil
}

// running finds a schedule that can still be changed.
func (c *call) running(what string) (object, error) {
	o, err := c.must("subscription_schedule", "subscription_schedule", c.id(), "id")
	if err != nil {
		return nil, err
	}
	if o.str("status") != "active" {
		return nil, invalid("", "", fmt.Sprintf("You cannot %s a subscription schedule that is currently in the `%s` status. It must be in `not_started`, `active` status to be %s.",
			map[string]string{"updated": "update", "released": "release", "canceled": "cancel"}[what], o.str("status"), what))
	}
	return o, nil
}

// readPhases reads the phases as they shall be, the one under way first. None is carried over: what is left out is
// gone, as at Stripe.
func (c *call) readPhases(o, sub object) ([]object, error) {
	var phases []object
	start := o.obj("current_phase").num("start_date")
	for i, v := range c.p.sub("phases").items() {
		p, _ := v.(params)
		at := fmt.Sprintf("phases[%d]", i)
		given, stated, err := p.int("start_date")
		switch {
		case err != nil:
			return nil, err
		case i == 0 && !stated:
			return nil, missing(at + "[start_date]")
		case i == 0 && given != start:
			return nil, invalid("", at+"[start_date]", "You can not modify the start date of the current phase.")
		case stated && given != start:
			return nil, invalid("", at+"[start_date]", "Phases must be contiguous: this one must start when the one before it ends.")
		}
		phase, err := c.readPhase(p, at, sub, start)
		if err != nil {
			return nil, err
		}
		phases, start = append(phases, phase), phase.num("end_date")
	}
	if len(phases) == 0 {
		return nil, missing("phases")
	}
	none := c.p.str("proration_behavior") == "none" || phases[0].str("proration_behavior") == "none"
	if !none && sum(c.itemsIn(phases[0])) != sum(itemsOf(sub)) {
		return nil, noProration("proration_behavior")
	}
	return phases, nil
}

// readPhase reads one phase from its start on. Its length is an end or a number of periods, which count by the
// subscription's own dates whether anybody pays or not; a number of periods is answered as the end_date it comes to.
func (c *call) readPhase(p params, at string, sub object, start int64) (object, error) {
	phase := phaseOf(sub, start, 0)
	items := []any{}
	for i, v := range p.sub("items").items() {
		item, _ := v.(params)
		price, err := c.priceOf(item, fmt.Sprintf("%s[items][%d]", at, i))
		if err != nil {
			return nil, err
		}
		quantity, given, err := item.int("quantity")
		switch {
		case err != nil:
			return nil, err
		case price == nil:
			return nil, missing(fmt.Sprintf("%s[items][%d][price]", at, i))
		case !given:
			quantity = 1
		}
		items = append(items, phaseItem(price, quantity))
	}
	phase["items"] = items
	if len(items) == 0 {
		return nil, missing(at + "[items]")
	}
	if err := alike(c.itemsIn(phase), sub.str("currency")); err != nil {
		return nil, err
	}
	metadata, err := p.metadata(nil)
	if err != nil {
		return nil, err
	}
	phase["metadata"], phase["proration_behavior"] = metadata, or(p.str("proration_behavior"), "create_prorations")
	if id := p.str("default_payment_method"); id != "" {
		if _, err := c.ownMethod(id, sub.str("customer"), at+"[default_payment_method]"); err != nil {
			return nil, err
		}
	}
	phase["default_payment_method"] = p.text("default_payment_method")
	phase["end_date"], err = c.phaseEnd(p, at, sub, phase)
	return phase, err
}

func (c *call) phaseEnd(p params, at string, sub, phase object) (int64, error) {
	n, counted, err := p.int("iterations")
	end, dated, err2 := int64(c.now), p.str("end_date") == "now", error(nil)
	if !dated {
		end, dated, err2 = p.int("end_date")
	}
	every := c.itemsIn(phase)[0].obj("price").obj("recurring")
	switch {
	case err != nil:
		return 0, err
	case err2 != nil:
		return 0, err2
	case counted && dated:
		return 0, invalid("", at, "You may only specify one of these parameters: end_date, iterations.")
	case counted && n < 1:
		return 0, invalid("parameter_invalid_integer", at+"[iterations]", "This value must be greater than or equal to 1.")
	case !counted && !dated:
		n = 1
	}
	if !dated {
		end = boundariesAfter(sub.num("billing_cycle_anchor"), every, phase.num("start_date"), n)
	}
	if end < c.now || end <= phase.num("start_date") {
		return 0, invalid("", at+"[end_date]", "The end of a phase must be after its start and not in the past.")
	}
	return end, nil
}

// itemsIn are a phase's items with their prices, as a subscription has them.
func (t *act) itemsIn(phase object) []object {
	var items []object
	list, _ := phase["items"].([]any)
	for _, v := range list {
		item := v.(object) // as phaseItem makes them
		items = append(items, item.with(object{"price": t.a.get("price", item.str("price"))}))
	}
	return items
}

func releaseSchedule(c *call) (any, error) {
	o, err := c.running("released")
	if err != nil {
		return nil, err
	}
	c.release(o, c.p.flag("preserve_cancel_date"))
	return o, nil
}

func cancelSchedule(c *call) (any, error) {
	o, err := c.running("canceled")
	if err != nil {
		return nil, err
	}
	if c.p.str("prorate") != "false" || c.p.flag("invoice_now") {
		return nil, invalid("", "prorate", "The stand-in does not prorate, and this would: pass prorate=false (Stripe's default is true), and invoice_now=false.")
	}
	c.end(c.a.get("subscription", o.str("subscription")), "cancellation_requested")
	return o, nil
}
