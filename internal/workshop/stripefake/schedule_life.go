package stripefake

import "slices"

// schedulePhases schedules the ends of a schedule's phases, and a warning a week before the last end.
func (t *transaction) schedulePhases(schedule object) {
	var end int64
	for _, phase := range phasesOf(schedule) {
		if end = phase.num("end_date"); end > t.now {
			t.schedule(end, "phase", schedule.str("id"))
		}
	}
	if end-upcomingBefore > t.now {
		t.schedule(end-upcomingBefore, "expiring", schedule.str("id"))
	}
}

// emitExpiring emits the event that a schedule ends in a week, unless its end has changed.
func (t *transaction) emitExpiring(schedule object) {
	phases := phasesOf(schedule)
	if schedule.str("status") == "active" && phases[len(phases)-1].num("end_date")-upcomingBefore == t.now {
		t.emit("subscription_schedule.expiring", schedule, nil)
	}
}

// startNextPhase moves a schedule to its next phase, or ends it, when the current phase has ended.
func (t *transaction) startNextPhase(schedule object) {
	now := schedule.obj("current_phase")
	if schedule.str("status") != "active" || now.num("end_date") > t.now {
		return
	}
	phases := phasesOf(schedule)
	i := slices.IndexFunc(phases, func(p object) bool { return p["start_date"] == now["start_date"] })
	sub := t.a.get("subscription", schedule.str("subscription"))
	switch {
	case i+1 < len(phases):
		before := sub.with(nil)
		schedule["current_phase"] = span(phases[i+1])
		t.applyPhase(phases[i+1], sub)
		t.emit("subscription_schedule.updated", schedule, object{"current_phase": now})
		t.updated(sub, before)
	case schedule.str("end_behavior") == "cancel":
		schedule["status"], schedule["completed_at"], schedule["current_phase"] = "completed", t.now, nil
		t.emit("subscription_schedule.completed", schedule, nil)
		t.end(sub, "cancellation_requested")
	default:
		t.release(schedule, false)
	}
}

// applyPhase sets a subscription's items to those of a phase. Items whose price does not change keep their ids.
func (t *transaction) applyPhase(phase, sub object) {
	old, items := itemsOf(sub), []object{}
	for _, want := range t.itemsIn(phase) {
		price, quantity := want.obj("price"), want.num("quantity")
		i := slices.IndexFunc(old, func(item object) bool { return item.obj("price")["id"] == price["id"] })
		if i < 0 {
			items = append(items, t.newItem(sub, price, quantity))
			continue
		}
		items = append(items, old[i].with(object{"quantity": quantity}))
		old = slices.Delete(old, i, i+1)
	}
	setItems(sub, items)
	if phase["default_payment_method"] != nil {
		sub["default_payment_method"] = phase["default_payment_method"]
	}
	metadata := object{}.with(sub.obj("metadata"))
	for key, value := range phase.obj("metadata") {
		metadata[key] = value
	}
	sub["metadata"] = metadata
}

// syncPhase copies a change of a subscription's items into the current phase.
func (t *transaction) syncPhase(sub object) {
	schedule := t.a.get("subscription_schedule", sub.str("schedule"))
	if schedule.str("status") != "active" {
		return
	}
	for _, phase := range phasesOf(schedule) {
		if phase["start_date"] == schedule.obj("current_phase")["start_date"] {
			phase["items"] = phaseOf(sub, 0, 0)["items"]
			t.emit("subscription_schedule.updated", schedule, nil)
		}
	}
}

// release removes a subscription's schedule. The end that the schedule had set is removed too, unless it is kept.
func (t *transaction) release(schedule object, keepEnd bool) {
	sub := t.a.get("subscription", schedule.str("subscription"))
	before := sub.with(nil)
	schedule["status"], schedule["released_at"], schedule["released_subscription"] = "released", t.now, sub["id"]
	schedule["subscription"], schedule["current_phase"], sub["schedule"] = nil, nil, nil
	if at := sub.num("cancel_at"); keepEnd && at > 0 {
		t.schedule(at, "cancel", sub.str("id"))
	} else {
		sub["cancel_at"], sub["canceled_at"] = nil, nil
	}
	t.emit("subscription_schedule.released", schedule, nil)
	t.updated(sub, before)
}
