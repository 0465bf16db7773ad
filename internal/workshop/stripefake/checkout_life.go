package stripefake

import "strings"

// pageURL returns the address of a session's hosted page.
func (c *call) pageURL(id string) string { return c.s.base() + "/c/pay/" + id }

func listSessions(c *call) (any, error) {
	email := c.p.sub("customer_details").str("email")
	return c.page("checkout.session", func(o object) bool {
		for _, f := range []string{"payment_intent", "customer", "subscription", "status"} {
			if c.p.has(f) && o.str(f) != c.p.str(f) {
				return false
			}
		}
		return email == "" || o.obj("customer_details").str("email") == email
	})
}

func listLines(c *call) (any, error) {
	cs, err := c.must("checkout.session", "checkout.session", c.id(), "id")
	if err != nil {
		return nil, err
	}
	return object{"object": "list", "data": lines(c.a, cs), "has_more": false, "url": c.r.URL.Path}, nil
}

func expireSession(c *call) (any, error) {
	cs, err := c.must("checkout.session", "checkout.session", c.id(), "id")
	if err != nil {
		return nil, err
	}
	if cs.str("status") != "open" {
		return nil, invalid("", "", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `"+cs.str("status")+"`.")
	}
	c.expire(cs)
	return cs, nil
}

// expire expires an open session and cancels its payment intent, if there is one.
func (t *transaction) expire(cs object) {
	if cs == nil || cs.str("status") != "open" {
		return
	}
	cs["status"], cs["url"] = "expired", nil
	if pi := t.a.get("payment_intent", intentOf(t.a, cs).str("id")); pi != nil {
		pi["status"], pi["canceled_at"], pi["cancellation_reason"], pi["next_action"] = "canceled", t.now, "automatic", nil
		t.emit("payment_intent.canceled", pi, nil)
	}
	t.emit("checkout.session.expired", cs, nil)
}

// complete completes a session: paymentStatus is "paid", or "unpaid" while a bank debit is processed.
func (t *transaction) complete(cs object, paymentStatus string, who payer) {
	cs["status"], cs["payment_status"], cs["url"] = "complete", paymentStatus, nil
	details := object{"address": nil, "email": nil, "phone": nil, "tax_exempt": "none", "tax_ids": []any{}}.with(cs.obj("customer_details"))
	details["name"], details["address"] = orNull(who.name), who.address()
	if details["email"] == nil {
		details["email"] = orNull(who.email)
	}
	cs["customer_details"] = details
	if cs.str("customer_creation") == "always" && cs["customer"] == nil {
		customer := t.newCustomer(object{"email": details["email"], "name": details["name"]})
		cs["customer"] = customer["id"]
	}
	t.emit("checkout.session.completed", cs, nil)
}

// successURL returns the address to which the payer is redirected after the payment.
func successURL(cs object) string {
	return strings.ReplaceAll(cs.str("success_url"), "{CHECKOUT_SESSION_ID}", cs.str("id"))
}
