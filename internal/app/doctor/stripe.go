package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/processor/stripepay"
)

// stripe checks the accounts at Stripe of all legal entities.
func (d *Doctor) stripe(ctx context.Context, db *sqlx.DB) {
	entities, err := org.Entities(ctx, db)
	if err == nil && len(entities) == 0 {
		err = errors.New("there is none: konbit apply FILE")
	}
	d.Report("legal entities", err)
	client, err := stripepay.New(d.Settings.Stripe, d.Settings.StripeAPIURL, d.Log)
	if err != nil {
		d.Report("Stripe", err)
		return
	}
	for _, e := range entities {
		d.stripeAccount(ctx, client, e)
	}
}

// stripeAccount checks the Stripe account of an entity.
func (d *Doctor) stripeAccount(ctx context.Context, client *stripepay.Stripe, e org.LegalEntity) {
	if e.WithoutCards && !client.HasAccount(e) {
		d.Findings = append(d.Findings, Finding{Check: "Stripe account of " + e.Slug, OK: true, Note: "none, and the form takes no cards (stripe: off)"})
		return
	}
	err := client.Check(ctx, e.Slug)
	d.Report("Stripe account of "+e.Slug, err)
	if err != nil {
		return
	}
	d.Report("webhook endpoint of "+e.Slug, client.CheckEndpoint(ctx, e.Slug, d.Settings.HookAddress(e.Slug)))
	d.Report("billing portal of "+e.Slug, client.CheckPortal(ctx, e.Slug))
	receipts, err := client.StripeReceipts(ctx, e.Slug)
	d.Report("receipts of "+e.Slug+" are sent by Konbit only", ownReceipts(receipts, err))
	if err == nil && receipts.LastMailed == "" {
		d.Findings[len(d.Findings)-1].Note = noOwnReceipts(receipts)
	}
}

// ownReceipts reports an error if Stripe emailed a receipt besides ours.
func ownReceipts(r stripepay.StripeReceipts, err error) error {
	if err == nil && r.LastMailed != "" {
		err = fmt.Errorf("donors got two receipts, because Stripe emailed one as well for %s: "+
			"switch off \"Successful payments\" in its dashboard under Settings, Customer emails", r.LastMailed)
	}
	return err
}

// noOwnReceipts returns a note on how much it means that no such receipt was found.
func noOwnReceipts(r stripepay.StripeReceipts) string {
	const manual = "Stripe has no API for this setting; check that \"Successful payments\" is off in its dashboard under Settings, Customer emails"
	switch {
	case !r.Live:
		return "unknown with a test key, for which Stripe sends no receipts. " + manual
	case r.Checked == 0:
		return "unknown without a donation. " + manual
	default:
		return fmt.Sprintf("Stripe emailed no receipt for any of %d donations. %s", r.Checked, manual)
	}
}
