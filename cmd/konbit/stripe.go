package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/processor/stripepay"
)

func stripeCommand() *cobra.Command {
	return group("stripe", "Webhook events, and what is set up at Stripe", stripeEndpointCommand(), stripeEventsCommand())
}

func stripeEndpointCommand() *cobra.Command {
	c := &cobra.Command{Use: "endpoint", Short: "Create an entity's webhook endpoint at Stripe, or update it to the handled event types", Args: cobra.NoArgs}
	entity := c.Flags().String("entity", "", "the legal entity (its slug)")
	address := c.Flags().String("url", "", "the address that Stripe sends to; standard: under BASE_URL")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig()
		if err != nil {
			return err
		}
		if *entity == "" {
			return fmt.Errorf("%w: --entity is needed", errUse)
		}
		if _, ok := config.Stripe[*entity]; !ok {
			return fmt.Errorf("%s is not set; no key is known for a legal entity %q", stripeKey+settingSuffix(*entity), *entity)
		}
		if *address, err = hookAddress(config, *entity, *address); err != nil {
			return err
		}
		client, err := stripepay.New(config.Stripe, config.StripeAPIURL, config.logger())
		if err != nil {
			return err
		}
		set, err := client.EnsureEndpoint(c.Context(), *entity, *address)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, set)
		}
		fmt.Fprintf(c.OutOrStdout(), "%s %s: %d types of events in version %s to %s\n", set.ID, set.Action, len(set.Events), set.APIVersion, set.URL)
		if set.Secret != "" {
			fmt.Fprintf(c.OutOrStdout(), "Stripe shows its signing secret this once; set\n%s=%s\n", stripeSecret+settingSuffix(*entity), set.Secret)
		}
		return nil
	}
	return c
}

// hookAddress returns the address that Stripe sends an entity's webhooks to: the given one, or one under BASE_URL.
func hookAddress(config Config, entity, given string) (string, error) {
	if given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", fmt.Errorf("%w: --url is %q: want an address such as https://give.example.org/hooks/stripe/%s", errUse, given, entity)
		}
		return given, nil
	}
	if config.BaseURL == nil {
		return "", fmt.Errorf("BASE_URL %s; or give --url", "is not set: "+fixes[needBase])
	}
	return strings.TrimSuffix(config.BaseURL.String(), "/") + "/hooks/stripe/" + entity, nil
}

// stripeAccount checks the Stripe account of an entity.
func (d *doctor) stripeAccount(ctx context.Context, client *stripepay.Stripe, e org.LegalEntity) {
	err := client.Check(ctx, e.Slug)
	d.report("Stripe account of "+e.Slug, err)
	if err != nil {
		return
	}
	address, err := hookAddress(d.config, e.Slug, "")
	if err == nil {
		err = client.CheckEndpoint(ctx, e.Slug, address)
	}
	d.report("webhook endpoint of "+e.Slug, err)
	d.report("billing portal of "+e.Slug, client.CheckPortal(ctx, e.Slug))
	receipts, err := client.StripeReceipts(ctx, e.Slug)
	d.report("receipts of "+e.Slug+" are sent by Konbit only", ownReceipts(receipts, err))
	if err == nil && receipts.LastMailed == "" {
		d.findings[len(d.findings)-1].Note = noOwnReceipts(receipts)
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

// settingSuffix returns the suffix of an entity's settings: its slug in capitals, with _ for -.
func settingSuffix(entity string) string {
	return strings.ReplaceAll(strings.ToUpper(entity), "-", "_")
}
