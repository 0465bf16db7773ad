package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

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
	return config.HookAddress(entity), nil
}

// settingSuffix returns the suffix of an entity's settings: its slug in capitals, with _ for -.
func settingSuffix(entity string) string {
	return strings.ReplaceAll(strings.ToUpper(entity), "-", "_")
}
