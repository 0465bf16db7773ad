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
	c := &cobra.Command{Use: "endpoint", Short: "Make an entity's webhook endpoint at Stripe, or bring it to what is handled", Args: cobra.NoArgs}
	entity := c.Flags().String("entity", "", "the legal entity (its slug)")
	address := c.Flags().String("url", "", "where Stripe is to send; else under BASE_URL")
	asJSON := c.Flags().Bool("json", false, "answer in JSON")
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

// hookAddress is where Stripe sends an entity's webhooks: asked, or by BASE_URL.
func hookAddress(config Config, entity, asked string) (string, error) {
	if asked != "" {
		u, err := url.Parse(asked)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", fmt.Errorf("%w: --url is %q: want an address such as https://give.example.org/hooks/stripe/%s", errUse, asked, entity)
		}
		return asked, nil
	}
	if config.BaseURL == nil {
		return "", fmt.Errorf("BASE_URL %s; or give --url", "is not set: "+mends[needBase])
	}
	return strings.TrimSuffix(config.BaseURL.String(), "/") + "/hooks/stripe/" + entity, nil
}

// stripeAccount looks over an entity's account.
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
	d.report("receipts of "+e.Slug+" come from us alone", ownReceipts(receipts, err))
	if err == nil && receipts.LastMailed == "" {
		d.findings[len(d.findings)-1].Note = noOwnReceipts(receipts)
	}
}

func ownReceipts(r stripepay.StripeReceipts, err error) error {
	if err == nil && r.LastMailed != "" {
		err = fmt.Errorf("one was mailed by Stripe as well for %s, so that donor got two: in its dashboard, Settings, Customer emails, switch off \"Successful payments\"", r.LastMailed)
	}
	return err
}

// noOwnReceipts says how far the absence of a finding goes.
func noOwnReceipts(r stripepay.StripeReceipts) string {
	const look = "Stripe tells this setting to nobody by API; see that \"Successful payments\" is off in its dashboard, Settings, Customer emails"
	switch {
	case !r.Live:
		return "not told by a test key, for which Stripe mails none. " + look
	case r.Checked == 0:
		return "no gift to judge by yet. " + look
	default:
		return fmt.Sprintf("judged by %d gifts, none of which Stripe mailed a receipt for. %s", r.Checked, look)
	}
}

// settingSuffix is an entity's slug as settings' names end.
func settingSuffix(entity string) string {
	return strings.ReplaceAll(strings.ToUpper(entity), "-", "_")
}
