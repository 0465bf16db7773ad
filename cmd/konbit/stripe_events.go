package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/processor/stripepay/webhook"
)

func stripeEventsCommand() *cobra.Command {
	return group("events", "Webhook events that Stripe sent", stripeEventsListCommand(), stripeEventsReplayCommand(), stripeEventsSweepCommand())
}

// eventLine is an event in the output of `konbit stripe events list --json`.
type eventLine struct {
	Entity     string     `json:"entity"`
	ID         string     `json:"id"`
	Type       string     `json:"type"`
	State      string     `json:"state"`
	Tries      int        `json:"tries"`
	ReceivedAt time.Time  `json:"received_at"`
	DueAt      *time.Time `json:"due_at,omitempty"` // when a waiting or parked event is tried next
	DoneAt     *time.Time `json:"done_at,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Erased     bool       `json:"erased"` // the payload was erased after 90 days
}

func stripeEventsListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Stored events, newest first", Args: cobra.NoArgs}
	state := c.Flags().String("state", "", "only those "+strings.Join(webhook.EventStates, ", "))
	entity := c.Flags().String("entity", "", "only those of this legal entity (its slug)")
	limit := c.Flags().Int("limit", 100, "maximum number; 0 for all")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *state != "" && !slices.Contains(webhook.EventStates, *state) {
			return fmt.Errorf("%w: --state is one of %s", errUse, strings.Join(webhook.EventStates, ", "))
		}
		if *limit < 0 {
			return fmt.Errorf("%w: --limit is 0 or more", errUse)
		}
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			filter := webhook.EventFilter{State: *state, Limit: *limit}
			if filter.EntityID, err = entityID(entities, *entity); err != nil {
				return err
			}
			events, err := webhook.ListEvents(c.Context(), db, filter)
			if err != nil {
				return err
			}
			lines := eventLines(entities, events)
			if *asJSON {
				return printJSON(c, lines)
			}
			return printEvents(c.OutOrStdout(), lines)
		})
	}
	return c
}

// entityID returns the id of the legal entity with that slug, or uuid.Nil if the slug is empty.
func entityID(entities []org.LegalEntity, slug string) (uuid.UUID, error) {
	if slug == "" {
		return uuid.Nil, nil
	}
	if i := slices.IndexFunc(entities, func(e org.LegalEntity) bool { return e.Slug == slug }); i >= 0 {
		return entities[i].ID, nil
	}
	return uuid.Nil, fmt.Errorf("%w: no legal entity has the slug %q", errUse, slug)
}

func eventLines(entities []org.LegalEntity, events []webhook.StoredEvent) []eventLine {
	slugs := org.Slugs(entities)
	lines := make([]eventLine, len(events))
	for i, e := range events {
		lines[i] = eventLine{
			Entity: slugs[e.EntityID], ID: e.ID, Type: e.Type, State: e.State, Tries: e.Tries, ReceivedAt: e.ReceivedAt.UTC(),
			Reason: e.Reason, Erased: e.Erased, DoneAt: e.DoneAt,
		}
		if e.State == "waiting" || e.State == "parked" {
			lines[i].DueAt = &events[i].DueAt
		}
	}
	return lines
}

func printEvents(to io.Writer, lines []eventLine) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECEIVED\tENTITY\tEVENT\tTYPE\tSTATE\tTRIES\tREASON")
	for _, l := range lines {
		state := l.State
		if l.Erased {
			state += " (erased)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", l.ReceivedAt.Format(time.RFC3339), l.Entity, l.ID, l.Type, state, l.Tries, l.Reason)
	}
	return w.Flush()
}

func stripeEventsReplayCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "replay EVENT… | --set-aside", Short: "Process events again, after the cause of their failure is fixed",
		Long: "Marks events as new; the workers process them within a second. Processing an event twice changes nothing. An event whose\n" +
			"payload was erased after 90 days cannot be processed again.",
	}
	setAside := c.Flags().Bool("set-aside", false, "all events that are set aside")
	entity := c.Flags().String("entity", "", "only those of this legal entity (its slug)")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, ids []string) error {
		if *setAside == (len(ids) > 0) {
			return fmt.Errorf("%w: name events, or give --set-aside", errUse)
		}
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			of, err := entityID(entities, *entity)
			if err != nil {
				return err
			}
			var replayed webhook.Replayed
			if *setAside {
				replayed, err = webhook.ReplaySetAside(c.Context(), db, of)
			} else {
				replayed, err = webhook.ReplayEvents(c.Context(), db, of, ids)
			}
			if err != nil {
				return err
			}
			return printReplayed(c, replayed, *asJSON)
		})
	}
	return c
}

// printReplayed prints the result. It reports an error if a named event could not be put back.
func printReplayed(c *cobra.Command, r webhook.Replayed, asJSON bool) error {
	if asJSON {
		lists := map[string][]string{"put_back": r.PutBack, "erased": r.Erased, "unknown": r.Unknown}
		for name, ids := range lists {
			if ids == nil {
				lists[name] = []string{}
			}
		}
		if err := printJSON(c, lists); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.OutOrStdout(), "%d put back.\n", len(r.PutBack))
		for _, id := range r.Erased {
			fmt.Fprintf(c.OutOrStdout(), "%s: its payload was erased after %d days; left as it is.\n", id, webhook.Retention)
		}
		for _, id := range r.Unknown {
			fmt.Fprintf(c.OutOrStdout(), "%s: no such event is stored.\n", id)
		}
	}
	if len(r.Erased)+len(r.Unknown) > 0 {
		return errors.New("not every event could be put back")
	}
	return nil
}

func stripeEventsSweepCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "sweep", Short: "Fetch from Stripe the events that no webhook delivered, and book them; the workers do it every 15 minutes", Args: cobra.NoArgs,
	}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(serveNeeds...)
		if err != nil {
			return err
		}
		a, _, err := open(c.Context(), config)
		if err != nil {
			return err
		}
		swept, err := a.Sweeper.Sweep(c.Context())
		if err = errors.Join(err, a.Close()); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, swept)
		}
		fmt.Fprintf(c.OutOrStdout(), "%d undelivered events taken in, %d balance transactions booked, the end of %d started gifts found.\n",
			swept.Events, swept.Transactions, swept.Ended)
		return nil
	}
	return c
}
