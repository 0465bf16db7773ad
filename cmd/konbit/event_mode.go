package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/books/org"
	"konbit/internal/office/installation"
	"konbit/internal/platform/guard"
	"konbit/internal/web/give"
)

func eventModeCommand() *cobra.Command {
	return group("event-mode", "Let a shared tablet at an event take donations without the limits of its address",
		eventModeOpenCommand(), eventModeListCommand(), eventModeCloseCommand())
}

// openedPass is the output of `konbit event-mode open --json`.
type openedPass struct {
	guard.Pass
	Org  string `json:"org"`
	Link string `json:"link,omitempty"`
}

func eventModeOpenCommand() *cobra.Command {
	c := &cobra.Command{Use: "open", Short: "Print a link to open once on each tablet", Args: cobra.NoArgs}
	slug := c.Flags().String("org", "", "the organisation's slug")
	hours := c.Flags().Int("hours", 4, "how many hours it is open, at most 8")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		life := time.Duration(*hours) * time.Hour
		if life < time.Hour || life > guard.MaxPassLifetime {
			return fmt.Errorf("%w: --hours is %d: want 1 to %d", errUse, *hours, guard.MaxPassLifetime/time.Hour)
		}
		opened, err := openPass(c.Context(), *slug, life)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, opened)
		}
		fmt.Fprintf(c.OutOrStdout(), "Open this link once on each tablet, and press the button there. It cannot be "+
			"shown again and expires at %s.\n\n  %s\n\nEnd it sooner with: konbit event-mode close %s\n",
			opened.ExpiresAt.Local().Format("15:04 on 2 January 2006 MST"), opened.Link, opened.ID)
		return nil
	}
	return c
}

func openPass(ctx context.Context, slug string, life time.Duration) (opened openedPass, err error) {
	err = withOffice(ctx, needDatabase, []need{needBase}, func(o office) error {
		if err := installation.CheckAddress(ctx, o.db, o.config.BaseURL); err != nil {
			return err
		}
		register, err := org.ReadRegister(ctx, o.db)
		if err != nil {
			return err
		}
		of, err := register.Organisation(slug)
		if err != nil {
			return fmt.Errorf("%w: there is no organisation %q: name one with --org SLUG", errUse, slug)
		}
		pass, token, err := guard.OpenPass(ctx, o.db, app.NewID(), of.ID, life)
		opened = openedPass{pass.Shown(o.clocks.Shown), of.Slug, strings.TrimSuffix(o.config.BaseURL.String(), "/") + give.EventPath(of.Slug, token)}
		return err
	})
	return opened, err
}

func eventModeListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List all passes with their use", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		listed, err := listPasses(c.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, listed)
		}
		for _, p := range listed {
			state, at := "open until", p.ExpiresAt
			if p.Ended {
				state = "over since"
			}
			if p.ClosedAt != nil {
				at = *p.ClosedAt
			}
			fmt.Fprintf(c.OutOrStdout(), "%s  %s  %s %s  devices %d  gifts %d\n", p.ID, p.Org, state, at.UTC().Format(time.RFC3339), p.Devices, p.Gifts)
		}
		return nil
	}
	return c
}

func listPasses(ctx context.Context) (listed []openedPass, err error) {
	err = withOffice(ctx, needDatabase, nil, func(o office) error {
		register, err := org.ReadRegister(ctx, o.db)
		if err != nil {
			return err
		}
		passes, err := guard.Passes(ctx, o.db)
		if err != nil {
			return err
		}
		listed = make([]openedPass, len(passes))
		for i, p := range passes {
			of, err := register.OrganisationByID(p.OrganisationID)
			if err != nil {
				return err
			}
			listed[i] = openedPass{Pass: p.Shown(o.clocks.Shown), Org: of.Slug}
		}
		return nil
	})
	return listed, err
}

func eventModeCloseCommand() *cobra.Command {
	return &cobra.Command{Use: "close ID", Short: "End a pass now", Args: exactly("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err == nil {
				err = withDatabase(c.Context(), func(db *sqlx.DB) error { return guard.ClosePass(c.Context(), db, id) })
			}
			if err != nil {
				return fmt.Errorf("pass %s: %w; konbit event-mode list shows them", args[0], err)
			}
			return nil
		}}
}
