package stripefake

import (
	"reflect"
	"slices"
)

// change is an update of a subscription. It is read and checked completely before anything is changed.
type change struct {
	fields  object
	items   []object
	trial   int64 // trial_end, 0 for none
	restart bool  // the billing cycle starts again, with an invoice at once
}

func updateSubscription(c *call) (any, error) {
	sub, err := c.must("subscription", "subscription", c.id(), "id")
	if err != nil {
		return nil, err
	}
	ch, err := c.readChange(sub)
	if err != nil {
		return nil, err
	}
	before := sub.with(nil)
	c.cancellationDetails(sub)
	for key, value := range ch.fields {
		sub[key] = value
	}
	if ch.items != nil {
		setItems(sub, ch.items)
		c.syncPhase(sub)
	}
	switch {
	case ch.trial > 0:
		c.beginTrial(sub, ch.trial)
	case ch.restart:
		sub["status"], sub["trial_end"], sub["billing_cycle_anchor"] = "active", nil, c.now
		sub["billing_cycle_anchor_config"] = nil
		c.beginPeriod(sub)
		c.invoicePeriod(sub, "subscription_update", true)
	}
	if at := sub.num("cancel_at"); at > 0 && before["cancel_at"] != sub["cancel_at"] {
		c.schedule(at, "cancel", c.id())
	}
	if at := sub.obj("pause_collection").num("resumes_at"); at > 0 {
		c.schedule(at, "resume", c.id())
	}
	c.updated(sub, before)
	return sub, nil
}

// updated emits the event about a subscription's changes since before. It emits no event if there are no changes.
func (t *transaction) updated(sub, before object) {
	previous := object{}
	for key := range sub {
		if !reflect.DeepEqual(sub[key], before[key]) {
			previous[key] = before[key]
		}
	}
	if len(previous) > 0 {
		t.emit("customer.subscription.updated", sub, previous)
	}
}

// readChange reads the request's parameters by Stripe's rules.
func (c *call) readChange(sub object) (change, error) {
	ch := change{fields: object{}}
	metadata, err := c.p.metadata(sub.obj("metadata"))
	if err != nil {
		return ch, err
	}
	ch.fields["metadata"] = metadata
	if sub.str("status") == "canceled" {
		for key := range c.p {
			if key != "metadata" && key != "cancellation_details" && key != "expand" {
				return ch, invalid("", key, "A canceled subscription can only update its cancellation_details and metadata.")
			}
		}
	}
	if b := c.p.str("proration_behavior"); b != "" && !slices.Contains([]string{"none", "create_prorations", "always_invoice"}, b) {
		return ch, invalid("", "proration_behavior", "Invalid proration_behavior: must be one of always_invoice, create_prorations, or none")
	}
	for _, read := range []func(object, *change) error{c.readPlainFields, c.readEnding, c.readPause, c.readCycle, c.readNewItems} {
		if err := read(sub, &ch); err != nil {
			return ch, err
		}
	}
	return ch, nil
}

func (c *call) readPlainFields(sub object, ch *change) error {
	if c.p.has("description") {
		ch.fields["description"] = c.p.text("description")
	}
	if !c.p.has("default_payment_method") {
		return nil
	}
	id := c.p.str("default_payment_method")
	ch.fields["default_payment_method"] = orNull(id)
	if id == "" {
		return nil
	}
	_, err := c.ownMethod(id, sub.str("customer"), "default_payment_method")
	return err
}

// readEnding reads when the subscription ends. It reports an error if the subscription has a schedule, which alone
// decides that.
func (c *call) readEnding(sub object, ch *change) error {
	if (c.p.has("cancel_at") || c.p.has("cancel_at_period_end")) && sub["schedule"] != nil {
		return scheduled(sub)
	}
	if c.p.has("cancel_at_period_end") {
		on := c.p.flag("cancel_at_period_end")
		ch.fields["cancel_at_period_end"], ch.fields["cancel_at"], ch.fields["canceled_at"] = on, nil, nil
		reason := any(nil)
		if on {
			ch.fields["cancel_at"], ch.fields["canceled_at"], reason = sub["current_period_end"], c.now, "cancellation_requested"
		}
		ch.fields["cancellation_details"] = sub.obj("cancellation_details").with(object{"reason": reason})
	}
	if c.p.str("cancel_at") == "" {
		if c.p.has("cancel_at") {
			ch.fields["cancel_at"], ch.fields["canceled_at"] = nil, nil
		}
		return nil
	}
	at, _, err := c.p.int("cancel_at")
	switch {
	case err != nil:
		return err
	case at <= c.now:
		return invalid("", "cancel_at", "The cancel_at timestamp must be in the future.")
	case at != sub.num("current_period_end") && c.p.str("proration_behavior") != "none":
		return noProration("cancel_at")
	}
	ch.fields["cancel_at"], ch.fields["canceled_at"] = at, c.now
	return nil
}

func (c *call) readPause(_ object, ch *change) error {
	if !c.p.has("pause_collection") {
		return nil
	}
	p := c.p.sub("pause_collection")
	if p == nil {
		if c.p.str("pause_collection") != "" {
			return invalid("", "pause_collection", "Invalid object")
		}
		ch.fields["pause_collection"] = nil
		return nil
	}
	at, given, err := p.int("resumes_at")
	switch {
	case p.str("resumes_at") == "":
		given = false
	case err != nil:
		return err
	}
	switch {
	case !slices.Contains([]string{"keep_as_draft", "mark_uncollectible", "void"}, p.str("behavior")):
		return invalid("", "pause_collection[behavior]", "Invalid pause_collection[behavior]: must be one of keep_as_draft, mark_uncollectible, or void")
	case given && at <= c.now:
		return invalid("", "pause_collection[resumes_at]", "The resumes_at timestamp must be in the future.")
	}
	pause := object{"behavior": p.str("behavior"), "resumes_at": nil}
	if given {
		pause["resumes_at"] = at
	}
	ch.fields["pause_collection"] = pause
	return nil
}

// readCycle reads the parameters that move the billing dates: trial_end, or billing_cycle_anchor=now.
func (c *call) readCycle(sub object, ch *change) error {
	anchor := c.p.str("billing_cycle_anchor")
	if anchor != "" && anchor != "now" && anchor != "unchanged" {
		return invalid("", "billing_cycle_anchor", "Invalid billing_cycle_anchor: must be one of now or unchanged")
	}
	trial := c.p.str("trial_end")
	ch.restart = anchor == "now" || trial == "now" && sub.str("status") == "trialing"
	if trial != "" && trial != "now" {
		at, _, err := c.p.int("trial_end")
		switch {
		case err != nil:
			return err
		case at <= c.now:
			return invalid("", "trial_end", "Invalid timestamp: must be an integer Unix timestamp in the future.")
		case at > c.now+2*366*day:
			return invalid("", "trial_end", "Invalid timestamp: can be no more than two years in the future.")
		}
		ch.trial = at
	}
	if (ch.restart || ch.trial > 0) && c.p.str("proration_behavior") != "none" {
		return noProration("proration_behavior")
	}
	return nil
}
