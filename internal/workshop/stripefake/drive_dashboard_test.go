package stripefake_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"konbit/internal/workshop/stripefake"
)

// TestStaffAtTheDashboard: staff change a price with proration, set an end and remove it, pause, and delete the customer.
func TestStaffAtTheDashboard(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first := g.invoices()[0].Total
	g.Advance(15 * 24 * time.Hour)
	must(g.ChangePrice(g.sub, stripefake.PriceChange{Amount: 3000, Prorate: true}))
	if sub := g.now(); len(sub.Items.Data) != 1 || sub.Items.Data[0].Price.UnitAmount != 3000 {
		t.Fatalf("%+v", sub.Items.Data)
	}
	g.Advance(month + 2*time.Hour)
	inv := g.invoices()[1]
	if inv.Total <= 3000 || inv.Total >= 3000+(3000-first) || inv.Status != "paid" || !inv.Lines.Data[1].Proration {
		t.Errorf("%d of %d, %s", inv.Total, first, inv.Status)
	}
	must(g.CancelAtPeriodEnd(g.sub, true))
	if sub := g.now(); sub.CancelAt != sub.CurrentPeriodEnd {
		t.Errorf("ends at %d", sub.CancelAt)
	}
	must(g.CancelAtPeriodEnd(g.sub, false))
	must(g.PauseAtDashboard(g.sub, true))
	if sub := g.now(); sub.CancelAt != 0 || sub.PauseCollection == nil {
		t.Errorf("%d, %v", sub.CancelAt, sub.PauseCollection)
	}
	must(g.PauseAtDashboard(g.sub, false))
	must(g.RemoveMetadata(g.sub, "donation"))
	if sub := g.now(); len(sub.Metadata) != 0 || sub.PauseCollection != nil {
		t.Errorf("%v, %v", sub.Metadata, sub.PauseCollection)
	}
	must(g.DeleteCustomer(g.now().Customer.ID))
	if sub := g.now(); sub.Status != "canceled" {
		t.Errorf("%s", sub.Status)
	}
	if err := g.CancelSubscription(g.sub); err == nil {
		t.Error("it has ended")
	}
}

// TestPanelSubscription: the panel does to a subscription what staff do at the dashboard, and offers it on its page.
func TestPanelSubscription(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	do := func(body string) { t.Helper(); g.panel("subscription", `{"subscription":"`+g.sub+`",`+body+`}`) }
	res, err := http.Get(g.url + "/_sandbox/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, _ := io.ReadAll(res.Body)
	contains(t, string(page), `value="end"`, `value="pause"`, `value="price"`, `value="cancel"`)
	do(`"do":"price","amount":4500`)
	if sub := g.now(); sub.Items.Data[0].Price.UnitAmount != 4500 {
		t.Errorf("%+v", sub.Items.Data)
	}
	do(`"do":"end"`)
	if sub := g.now(); !sub.CancelAtPeriodEnd {
		t.Error("it does not end")
	}
	do(`"do":"keep"`)
	do(`"do":"pause"`)
	if sub := g.now(); sub.CancelAtPeriodEnd || sub.PauseCollection == nil {
		t.Errorf("%v %v", sub.CancelAtPeriodEnd, sub.PauseCollection)
	}
	do(`"do":"resume"`)
	do(`"do":"cancel"`)
	if sub := g.now(); sub.Status != "canceled" {
		t.Errorf("%s", sub.Status)
	}
}
