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
	{"POST /v1/subscription_schedules", slices.Concat(phaseFields, []string{"from_subscription", "customer",
		"start_date", "end_behavior", "metadata.*"}), createSchedule},
	{"GET /v1/subscription_schedules", listing("customer"), listBy("subscription_schedule", "customer")},
	{"GET /v1/subscription_schedules/{id}", nil, retrieve("subscription_schedule", "subscription_schedule")},
	{"POST /v1/subscription_schedules/{id}", slices.Concat(phaseFields, []string{"end_behavior", "proration_behavior", "metadata.*"}), updateSchedule},
	{"POST /v1/subscription_schedules/{id}/release", []string{"preserve_cancel_date"}, releaseSchedule},
	{"POST /v1/subscription_schedules/{id}/cancel", []string{"invoice_now", "prorate"}, cancelSchedule},
}

// createSchedule gives a running subscription a schedule of one phase, its current period. As at Stripe,
// from_subscription excludes all other parameters. The stand-in has no schedules that start a subscription.
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
		"default_settings": object{"application_fee_percent": nil, "automatic_tax": object{"enabled": false, "liability": nil},
			"billing_cycle_anchor": "automatic",
			"billing_thresholds":   nil, "collection_method": "charge_automatically", "default_payment_method": sub["default_payment_method"],
			"default_source": nil,
			"description":    nil, "invoice_settings": object{"account_tax_ids": nil, "days_until_due": nil, "issuer": object{"type": "self"}},
			"on_behalf_of": nil, "transfer_data": nil},
		"end_behavior": "release", "phases": []any{phase}, "released_at": nil, "released_subscription": nil, "renewal_interval": nil,
		"status": "active", "subscription": id, "test_clock": nil,
	})
	if sub.flag("cancel_at_period_end") {
		o["end_behavior"] = "cancel"
	}
	sub["schedule"] = o["id"]
	c.schedulePhases(o)
	c.emit("subscription_schedule.created", o, nil)
	c.updated(sub, before)
	return o, nil
}

// phaseOf returns a phase with the subscription's current items.
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
		phases = append(phases, p.(object)) // phases are stored as objects
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
	c.schedulePhases(o)
	c.emit("subscription_schedule.updated", o, object{"phases": before["phases"], "end_behavior": before["end_behavior"]})
	c.updated(sub, was)
	c.startNextPhase(o)
	return o, nil
}

// running returns a schedule that can still be changed.
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
		return nil, invalid("", "prorate", "The stand-in does not prorate, and this would: pass prorate=false (Stripe's "+
			"default is true), and invoice_now=false.")
	}
	c.end(c.a.get("subscription", o.str("subscription")), "cancellation_requested")
	return o, nil
}
