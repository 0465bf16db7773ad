package stripefake

// portalFeatures are the features of a portal configuration, each on or off.
var portalFeatures = []string{"customer_update", "invoice_history", "payment_method_update", "subscription_cancel", "subscription_pause", "subscription_update"}

var portalSettingRoutes = []route{
	{"GET /v1/billing_portal/configurations", listing("active", "is_default"), listPortals},
	{"POST /v1/billing_portal/configurations/{id}", append([]string{"active"}, enabledOf(portalFeatures)...), updatePortal},
}

func enabledOf(features []string) (params []string) {
	for _, f := range features {
		params = append(params, "features."+f+".enabled")
	}
	return params
}

// defaultPortal returns the account's default configuration, which offers only the change of cards. It is
// created at the first call.
func (t *transaction) defaultPortal() object {
	if all := t.a.collection("billing_portal.configuration").items; len(all) > 0 {
		return t.a.get("billing_portal.configuration", all[0].str("id"))
	}
	features := object{}
	for _, f := range portalFeatures {
		features[f] = object{"enabled": f == "payment_method_update"}
	}
	return t.new("billing_portal.configuration", "bpc_", object{
		"active": true, "application": nil, "business_profile": object{"headline": nil, "privacy_policy_url": nil, "terms_of_service_url": nil},
		"default_return_url": nil, "features": features, "is_default": true, "login_page": object{"enabled": false, "url": nil}, "updated": t.now,
	})
}

func listPortals(c *call) (any, error) {
	c.defaultPortal()
	return c.page("billing_portal.configuration", func(o object) bool {
		for _, f := range []string{"active", "is_default"} {
			if c.p.has(f) && o.flag(f) != c.p.flag(f) {
				return false
			}
		}
		return true
	})
}

func updatePortal(c *call) (any, error) {
	o, err := c.must("billing_portal.configuration", "configuration", c.id(), "configuration")
	if err != nil {
		return nil, err
	}
	for _, f := range portalFeatures {
		if asked := c.p.sub("features").sub(f); asked.has("enabled") {
			o.obj("features")[f] = object{"enabled": asked.flag("enabled")}
		}
	}
	if c.p.has("active") {
		o["active"] = c.p.flag("active")
	}
	o["updated"] = c.now
	return o, nil
}
