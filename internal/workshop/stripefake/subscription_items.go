package stripefake

import (
	"fmt"
	"slices"
)

// readNewItems returns a subscription's items after an update. Another interval starts a new cycle at once, with or
// without proration.
func (c *call) readNewItems(sub object, ch *change) error {
	if !c.p.has("items") {
		return nil
	}
	items, err := c.readItems(sub, "items")
	if err != nil {
		return err
	}
	again := !sameInterval(items[0].obj("price"), itemsOf(sub)[0].obj("price"))
	if (again || sum(items) != sum(itemsOf(sub))) && c.p.str("proration_behavior") != "none" {
		return noProration("items")
	}
	ch.items, ch.restart = items, ch.restart || again
	return nil
}

// sum returns the price of items for a period, in minor units.
func sum(items []object) int64 {
	var total int64
	for _, item := range items {
		total += item.obj("price").num("unit_amount") * item.num("quantity")
	}
	return total
}

// readItems applies a request's items to those of a subscription (nil: a new one). An item with an id changes or
// deletes that item; an item without an id is added.
func (c *call) readItems(sub object, name string) ([]object, error) {
	items := []object{}
	for _, item := range itemsOf(sub) {
		items = append(items, item.with(nil))
	}
	for i, v := range c.p.sub(name).items() {
		p, _ := v.(params)
		at := fmt.Sprintf("%s[%d]", name, i)
		price, err := c.priceOf(p, at)
		if err != nil {
			return nil, err
		}
		quantity, given, err := p.int("quantity")
		if err != nil || given && quantity < 1 {
			return nil, invalid("parameter_invalid_integer", at+"[quantity]", "This value must be greater than or equal to 1.")
		}
		n := slices.IndexFunc(items, func(item object) bool { return item.str("id") == p.str("id") })
		switch {
		case p.str("id") != "" && n < 0:
			return nil, noSuch("subscription_item", p.str("id"), at+"[id]")
		case p.flag("deleted") && n >= 0:
			items = slices.Delete(items, n, n+1)
			continue
		case n >= 0:
			if price == nil {
				price = items[n].obj("price")
			}
			if !given {
				quantity = items[n].num("quantity")
			}
			items[n]["price"], items[n]["plan"], items[n]["quantity"] = price, planOf(price), quantity
			continue
		case price == nil:
			return nil, missing(at + "[price]")
		}
		items = append(items, c.newItem(sub, price, max(quantity, 1)))
	}
	return items, sameItems(items, sub.str("currency"))
}

// sameItems reports an error if items cannot be on one invoice.
func sameItems(items []object, currency string) error {
	if len(items) == 0 {
		return invalid("parameter_missing", "items", "A subscription must have at least one item.")
	}
	for _, item := range items {
		price := item.obj("price")
		switch {
		case price["recurring"] == nil:
			return invalid("", "items", "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.")
		case !sameInterval(price, items[0].obj("price")) || currency != "" && price.str("currency") != currency:
			return invalid("", "items", "Currency and interval fields must match across all plans on this subscription.")
		}
	}
	return nil
}
