package stripefake

import "fmt"

// readPhases reads all phases of an update, the current one first. As at Stripe, a phase that is not in the request is
// removed.
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

// readPhase reads one phase. Its length is an end date or a number of periods. Periods are counted by the
// subscription's dates, paid or not, and are returned as an end_date.
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
	if err := sameItems(c.itemsIn(phase), sub.str("currency")); err != nil {
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
		end = boundariesAfter(anchorOf(sub, every), every, phase.num("start_date"), n)
	}
	if end < c.now || end <= phase.num("start_date") {
		return 0, invalid("", at+"[end_date]", "The end of a phase must be after its start and not in the past.")
	}
	return end, nil
}

// itemsIn returns a phase's items with their prices, as a subscription has them.
func (t *transaction) itemsIn(phase object) []object {
	var items []object
	list, _ := phase["items"].([]any)
	for _, v := range list {
		item := v.(object) // type made by phaseItem
		items = append(items, item.with(object{"price": t.a.get("price", item.str("price"))}))
	}
	return items
}
