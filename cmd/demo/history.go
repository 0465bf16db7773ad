package main

import (
	"context"
	"errors"
	"time"

	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/history"
	"konbit/internal/workshop/stripefake"
)

// startHistory makes the demo's history in the background, unless DEMO_HISTORY is off or it is made already. The function
// that it returns stops that and waits for it; what is not made is made at the next start.
func (d *demo) startHistory(ctx context.Context) (stop func()) {
	if !d.history || d.cards.HistoryProgress().State == "told" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		began := time.Now()
		err := d.makeHistory(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, stripefake.ErrHistory):
			d.printf("This demo has gifts already, so it gets no history; make demo-reset begins a new one.")
		case err != nil:
			d.printf("The demo's history could not be made: %v", err)
		default:
			if err := d.writeBankFiles(); err != nil {
				d.printf("The bank's files could not be written: %v", err)
			}
			if err := d.workAtTheDesks(ctx); err != nil && ctx.Err() == nil {
				d.printf("The demo's staff could not do their work: %v", err)
			}
			if err := d.workAtTheMail(ctx); err != nil && ctx.Err() == nil {
				d.printf("The demo's staff could not do what came by mail: %v", err)
			}
			d.printf("Two months of history are made (%.0f s).", time.Since(began).Seconds())
		}
	}()
	return func() { cancel(); <-ended }
}

// makeHistory makes the history and waits until the server has got all of it.
func (d *demo) makeHistory(ctx context.Context) error {
	keys := map[string]stripepay.Keys{}
	for _, entity := range entities {
		keys[entity] = stripepay.Keys{
			Secret:         d.settings[perEntity("STRIPE_SECRET_KEY", entity)],
			WebhookSecrets: []string{d.settings[perEntity("STRIPE_WEBHOOK_SECRET", entity)]},
		}
	}
	err := history.Make(ctx, history.Options{
		Stripe: d.cards, StripeURL: d.settings["STRIPE_API_URL"], StripeKeys: keys,
		DatabaseURL: d.settings["DATABASE_URL"], BaseURL: d.settings["BASE_URL"], SecretKey: d.settings["SECRET_KEY"],
		SMTPURL: d.settings["SMTP_URL"], MailFrom: d.settings["MAIL_FROM"],
	})
	if err != nil {
		return err
	}
	for d.cards.HistoryProgress().State != "told" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}
