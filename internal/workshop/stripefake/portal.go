package stripefake

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

var portalRoutes = []route{
	{"POST /v1/billing_portal/sessions", []string{"customer", "return_url", "locale", "configuration", "flow_data.type",
		"flow_data.after_completion.type", "flow_data.after_completion.redirect.return_url"}, createPortal},
}

// createPortal creates a portal session, on whose page a customer changes the card and reads the invoices.
func createPortal(c *call) (any, error) {
	customer, err := c.customer(c.p.str("customer"), "customer")
	if err != nil {
		return nil, err
	}
	flow := c.p.sub("flow_data")
	after := flow.sub("after_completion")
	for _, address := range []string{c.p.str("return_url"), after.sub("redirect").str("return_url")} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
			return nil, invalid("url_invalid", "return_url", "Not a valid URL")
		}
	}
	if flow != nil && flow.str("type") != "payment_method_update" {
		return nil, invalid("", "flow_data[type]", "The stand-in knows the flow payment_method_update.")
	}
	var how any
	if flow != nil {
		then := object{"hosted_confirmation": nil, "redirect": nil, "type": or(after.str("type"), "portal_homepage")}
		if after.str("type") == "redirect" {
			then["redirect"] = object{"return_url": after.sub("redirect").text("return_url")}
		}
		how = object{"after_completion": then, "subscription_cancel": nil, "subscription_update": nil,
			"subscription_update_confirm": nil, "type": flow.str("type")}
	}
	o := c.new("billing_portal.session", "bps_", object{"configuration": or(c.p.str("configuration"), "bpc_standin"), "customer": customer["id"], "flow": how,
		"locale": c.p.text("locale"), "on_behalf_of": nil, "return_url": c.p.text("return_url")})
	delete(o, "metadata")
	o["url"] = c.s.base() + "/c/portal/" + o.str("id")
	return o, nil
}

// portalPage is the data of page/portal.html.
type portalPage struct {
	Lang, Account, Back, Problem, Field string
	W                                   pageText
	Known                               bool
	Done                                bool
	Only                                bool // the flow payment_method_update, without invoices
	Cards                               []string
	Card                                Card
	Invoices                            []payLine
}

// portal returns the data of a portal session's page. The caller holds the lock.
func (s *Server) portal(id string) (portalPage, *transaction, object, object) {
	for _, a := range s.accounts {
		o := a.get("billing_portal.session", id)
		if o == nil {
			continue
		}
		customer := a.get("customer", o.str("customer"))
		p := portalPage{Known: true, Lang: language(o.str("locale")), Account: or(a.Title, a.Name), Back: o.str("return_url"), Only: o["flow"] != nil}
		p.W = pageTextFor[p.Lang]
		chosen := customer.obj("invoice_settings").str("default_payment_method")
		for _, pm := range slices.Backward(a.where("payment_method", "customer", customer.str("id"))) {
			card := pm.obj("card")
			text := fmt.Sprintf("%s •••• %s, %02d/%d", card.str("brand"), card.str("last4"), card.num("exp_month"), card.num("exp_year"))
			if pm.str("id") == chosen {
				text += " ✓"
			}
			p.Cards = append(p.Cards, text)
		}
		for _, inv := range slices.Backward(a.where("invoice", "customer", customer.str("id"))) {
			if inv.str("status") != "draft" {
				p.Invoices = append(p.Invoices, payLine{time.Unix(inv.num("created"), 0).UTC().Format("2006-01-02"),
					amountText(inv.num("total"), inv.str("currency"), p.Lang) + " " + inv.str("status")})
			}
		}
		return p, s.newTransaction(a), o, customer
	}
	return portalPage{Lang: "en", W: pageTextFor["en"]}, nil, nil, nil
}

func (s *Server) showPortal(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.runDue(s.now())
	p, _, _, _ := s.portal(r.PathValue("id"))
	s.unlock()
	status := http.StatusOK
	if !p.Known {
		status = http.StatusNotFound
	}
	write(w, "portal.html", p, status)
}

// postPortal saves a new card as the customer's default. A subscription with its own card does not change, as
// at Stripe.
func (s *Server) postPortal(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	in := Card{Number: r.PostFormValue("card_number"), Exp: r.PostFormValue("exp"), CVC: r.PostFormValue("cvc"), Name: r.PostFormValue("name")}
	s.mu.Lock()
	s.runDue(s.now())
	p, t, o, customer := s.portal(r.PathValue("id"))
	var problem *apiError
	if p.Known {
		if _, problem = t.replaceCard(customer, in); problem == nil {
			p, _, _, _ = s.portal(r.PathValue("id"))
			p.Done = true
		}
		s.dirty = true
	}
	s.unlock()
	switch then := o.obj("flow").obj("after_completion"); {
	case !p.Known:
		write(w, "portal.html", p, http.StatusNotFound)
	case problem != nil:
		in.CVC = ""
		p.Card, p.Problem, p.Field = in, p.W.problem(problem), problem.param
		write(w, "portal.html", p, http.StatusPaymentRequired)
	case then.str("type") == "redirect":
		http.Redirect(w, r, then.obj("redirect").str("return_url"), http.StatusSeeOther)
	default:
		write(w, "portal.html", p, http.StatusOK)
	}
}

// replaceCard saves a card as a customer's default for invoices. If the card asks for authentication, it is
// confirmed.
func (t *transaction) replaceCard(customer object, in Card) (object, *apiError) {
	who, bad := readCard(in, time.Unix(t.now, 0))
	if bad == nil {
		bad = who.card.decline
	}
	if bad != nil {
		return nil, bad
	}
	return t.setDefaultMethod(customer, who), nil
}

// setDefaultMethod makes a payment method a customer's default for invoices.
func (t *transaction) setDefaultMethod(customer object, who payer) object {
	pm := t.newPaymentMethod(who)
	t.attach(pm, customer.str("id"))
	before := customer.obj("invoice_settings")
	customer["invoice_settings"] = before.with(object{"default_payment_method": pm["id"]})
	t.emit("customer.updated", customer, object{"invoice_settings": before})
	return pm
}
