package stripefake

// upcomingBefore is how long before a renewal the event invoice.upcoming is sent: the account's setting, seven days.
const upcomingBefore = 7 * day

// scheduleRenewal schedules the end of the current period.
func (t *transaction) scheduleRenewal(sub object) {
	end := sub.num("current_period_end")
	t.schedule(end, "renew", sub.str("id"))
	if end-upcomingBefore > t.now {
		t.schedule(end-upcomingBefore, "upcoming", sub.str("id"))
	}
}

// ends reports whether the current period is the last one.
func (t *transaction) ends(sub object) bool {
	at := sub.num("cancel_at")
	return sub.str("status") == "canceled" || sub.flag("cancel_at_period_end") || at > 0 && at <= sub.num("current_period_end")
}

// emitUpcoming emits the event about a renewal in a week.
func (t *transaction) emitUpcoming(sub object) {
	if !t.ends(sub) && sub.num("current_period_end")-upcomingBefore == t.now {
		t.emit("invoice.upcoming", t.upcoming(sub), nil)
	}
}

// renew ends a period, and begins and invoices the next one or ends the subscription.
func (t *transaction) renew(sub object) {
	if sub.num("current_period_end") != t.now || sub.str("status") == "canceled" {
		return
	}
	if schedule := t.a.get("subscription_schedule", sub.str("schedule")); schedule != nil {
		t.startNextPhase(schedule)
	}
	switch {
	case sub.str("status") == "canceled":
		return
	case sub.flag("cancel_at_period_end") || sub.num("cancel_at") == t.now:
		t.end(sub, "cancellation_requested")
		return
	}
	before := sub.with(nil)
	if sub.str("status") == "trialing" {
		sub["status"] = "active"
	}
	t.beginPeriod(sub)
	t.invoicePeriod(sub, "subscription_cycle", t.s.opts.InvoicesAtOnce)
	t.updatedSince(sub, before)
}

// updatedSince emits the event about a renewal's changes, without a status that an earlier event contained.
func (t *transaction) updatedSince(sub, before object) {
	if sub.str("status") == "past_due" || sub.str("status") == "canceled" {
		before["status"] = sub["status"]
	}
	t.updated(sub, before)
}

// beginPeriod starts a period now.
func (t *transaction) beginPeriod(sub object) {
	t.a.hidden(sub)["previous_start"] = sub["current_period_start"]
	sub["current_period_start"], sub["current_period_end"] = t.now, boundaryAfter(anchorOf(sub, intervalOf(sub)), intervalOf(sub), t.now)
	t.scheduleRenewal(sub)
}

// beginTrial moves the next renewal to a time, from which the cycle counts afterwards. As at Stripe, the time until
// then has an invoice of zero, which is paid like any other.
func (t *transaction) beginTrial(sub object, end int64) {
	sub["status"], sub["trial_start"], sub["trial_end"], sub["billing_cycle_anchor"] = "trialing", t.now, end, end
	sub["billing_cycle_anchor_config"] = nil
	t.beginPeriod(sub)
	t.invoicePeriod(sub, "subscription_update", true)
}

// invoicePeriod creates the draft of the current period's invoice. It is finalised now or in an hour, unless a pause
// says otherwise.
func (t *transaction) invoicePeriod(sub object, reason string, atOnce bool) {
	inv := t.draftInvoice(sub, reason, sub.num("current_period_start"), sub.num("current_period_end"), nil)
	pause := sub.obj("pause_collection").str("behavior")
	if held := pause != "" || sub.str("status") == "unpaid"; held {
		inv["auto_advance"] = false
	} else if !atOnce {
		inv["next_payment_attempt"] = t.now + finalizeAfter
		t.schedule(t.now+finalizeAfter, "finalize", inv.str("id"))
	}
	t.emit("invoice.created", inv, nil)
	switch {
	case pause == "void":
		t.void(inv)
	case pause == "mark_uncollectible":
		t.markUncollectible(inv)
	case atOnce && inv.flag("auto_advance"):
		t.finalize(inv)
		t.collectInvoice(inv)
	}
}

// resume ends a pause at its date. Invoices drafted during the pause stay as they are.
func (t *transaction) resume(sub object) {
	if sub.obj("pause_collection").num("resumes_at") == t.now && sub.str("status") != "canceled" {
		before := sub.with(nil)
		sub["pause_collection"] = nil
		t.updated(sub, before)
	}
}

// cancelOnTime ends a subscription at its cancel_at, unless a schedule does.
func (t *transaction) cancelOnTime(sub object) {
	if sub.num("cancel_at") == t.now && sub["schedule"] == nil {
		t.end(sub, "cancellation_requested")
	}
}

func (t *transaction) setStatus(sub object, status string) {
	if old := sub.str("status"); old != status && old != "canceled" {
		sub["status"] = status
		t.emit("customer.subscription.updated", sub, object{"status": old})
	}
}

// end cancels a subscription with its schedule. Its invoices stay, and are not retried.
func (t *transaction) end(sub object, reason string) {
	if sub.str("status") == "canceled" {
		return
	}
	sub["status"], sub["ended_at"] = "canceled", t.now
	if sub["canceled_at"] == nil {
		sub["canceled_at"] = t.now
	}
	sub["cancellation_details"] = sub.obj("cancellation_details").with(object{"reason": reason})
	for _, inv := range t.a.where("invoice", "subscription", sub.str("id")) {
		if status := inv.str("status"); status == "draft" || status == "open" {
			inv["auto_advance"], inv["next_payment_attempt"] = false, nil
		}
	}
	t.emit("customer.subscription.deleted", sub, nil)
	schedule := t.a.get("subscription_schedule", sub.str("schedule"))
	if schedule.str("status") != "active" {
		return
	}
	schedule["status"], schedule["canceled_at"], schedule["current_phase"] = "canceled", t.now, nil
	kind := "subscription_schedule.canceled"
	if reason == "payment_failed" {
		kind = "subscription_schedule.aborted"
	}
	t.emit(kind, schedule, nil)
}
