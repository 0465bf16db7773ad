package main

import (
	"context"
	_ "embed" // demo.yaml
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"konbit/internal/office/setup"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/localpg/tether"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
)

// A demo is what runs, in the order it was started; stop ends it in the opposite one.
type demo struct {
	config
	out      io.Writer
	settings settings
	db       *localpg.Server
	server   *tether.Process
	ends     []func()
}

func (d *demo) stop() {
	for len(d.ends) > 0 {
		last := len(d.ends) - 1
		d.ends[last]()
		d.ends = d.ends[:last]
	}
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// run runs the demo until ctx ends, which is success, or until a part of it does.
func run(ctx context.Context, c config, out io.Writer) error {
	d := &demo{config: c, out: out, settings: settings{}}
	defer d.stop()
	began := time.Now()
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped while starting
		}
		return err
	}
	d.welcome(time.Since(began))
	for {
		served := time.Now()
		select {
		case <-ctx.Done():
			d.say("\nStopping. The data stays in %s; make demo-reset deletes it.", short(d.dir))
			return nil
		case <-d.db.Done():
			return fmt.Errorf("PostgreSQL ended by itself; see %s.log", short(d.dataDir()))
		case <-d.server.Done():
		}
		if time.Since(served) < hopeless {
			return fmt.Errorf("the server ended by itself (%v); its log ends:\n%s", d.server.Err(), tail(d.log()))
		}
		// Somebody may have killed it to see what becomes of the gifts.
		d.say("The server ended by itself (%v); starting it again.", d.server.Err())
		if err := d.serve(ctx); err != nil {
			return err
		}
	}
}

// hopeless is how soon a server ends that cannot run at all.
const hopeless = 3 * time.Second

func (d *demo) start(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"opening the doors", d.open},
		{"building the server", d.build},
		{"starting PostgreSQL", d.startDatabase},
		{"migrating the database", func(ctx context.Context) error { return d.konbit(ctx, "migrate") }},
		{"writing the organisations", d.apply},
		{"setting up the webhooks", d.endpoints},
		{"starting the server", d.serve},
	}
	for _, step := range steps {
		began := time.Now()
		fmt.Fprintf(d.out, "%s … ", step.what)
		if err := step.do(ctx); err != nil {
			d.say("failed")
			return err
		}
		d.say("%.1f s", time.Since(began).Seconds())
	}
	return nil
}

// open listens on every door first, so that a taken one is told before anything is built, and fills in the settings.
func (d *demo) open(context.Context) error {
	addr, err := reserve(d.addr, "DEMO_ADDR")
	if err != nil {
		return err
	}
	d.addr = addr
	earlier := secretsOf(d.dir)
	s := d.settings
	s["LISTEN_ADDR"] = d.addr
	s["BASE_URL"] = webAddress(d.addr)
	s["LOG_FORMAT"] = "text"
	s["GIVE_LIMITS"] = wideLimits
	s.keep(earlier, "SECRET_KEY", "")
	for _, entity := range entities {
		s[perEntity("STRIPE_SECRET_KEY", entity)] = "sk_test_" + entity
		s.keep(earlier, perEntity("STRIPE_WEBHOOK_SECRET", entity), "whsec_")
	}
	if err := d.openMail(); err != nil {
		return err
	}
	return d.openCards()
}

func (d *demo) openMail() error {
	l, err := listen(d.mailAddr, "DEMO_MAIL_ADDR")
	if err != nil {
		return err
	}
	catcher, err := mailcatch.New(mailcatch.Options{Dir: filepath.Join(d.dir, "mail")})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	d.mailAddr = l.Addr().String()
	d.settings["SMTP_URL"] = catcher.SMTPURL()
	d.settings["MAIL_FROM"] = "Konbit <konbit@konbit.example>"
	d.ends = append(d.ends, func() { _ = catcher.Close() }, serve(l, catcher))
	return nil
}

//go:embed demo.yaml
var organisations []byte

// legalNames are the entities' names by slug, as the payment page shows them.
func legalNames() (map[string]string, error) {
	file, err := setup.Read("demo.yaml", organisations)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, e := range file.Entities {
		names[e.Slug] = e.LegalName
	}
	return names, nil
}

// endpoints brings the stand-in's webhook endpoints to what the server wants, as `konbit stripe endpoint` does at Stripe.
func (d *demo) endpoints(ctx context.Context) error {
	for _, entity := range entities {
		if err := d.konbit(ctx, "stripe", "endpoint", "--entity", entity); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) openCards() error {
	l, err := listen(d.card, "DEMO_CARD_ADDR")
	if err != nil {
		return err
	}
	d.card = l.Addr().String()
	titles, err := legalNames()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	var accounts []stripefake.Account
	for _, entity := range entities {
		accounts = append(accounts, stripefake.Account{
			Name:           entity,
			Title:          titles[entity],
			SecretKey:      d.settings[perEntity("STRIPE_SECRET_KEY", entity)],
			WebhookURL:     d.settings["BASE_URL"] + "/hooks/stripe/" + entity,
			WebhookSecrets: []string{d.settings[perEntity("STRIPE_WEBHOOK_SECRET", entity)]},
		})
	}
	cards, err := stripefake.New(stripefake.Options{
		StatePath: filepath.Join(d.dir, "cards.json"),
		PublicURL: webAddress(d.card),
		Accounts:  accounts,
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	d.settings["STRIPE_API_URL"] = webAddress(d.card)
	d.ends = append(d.ends, func() { _ = cards.Close() }, serve(l, cards))
	return nil
}

func (d *demo) startDatabase(ctx context.Context) error {
	db, err := localpg.Start(ctx, localpg.Options{DataDir: d.dataDir(), Durable: true})
	if errors.Is(err, localpg.ErrInUse) {
		return fmt.Errorf("%w: another demo runs on it; or set DEMO_DIR", err)
	}
	if err != nil {
		return err
	}
	d.db = db
	d.ends = append(d.ends, db.Stop)
	const owner, server, name = "konbit_owner", "konbit_server", "konbit"
	if err := errors.Join(db.CreateRole(ctx, owner), db.CreateRole(ctx, server), db.CreateDatabase(ctx, name, owner)); err != nil {
		return err
	}
	d.settings["DATABASE_URL"] = db.URL(server, name)
	d.settings["DATABASE_OWNER_URL"] = db.URL(owner, name)
	return d.settings.write(d.dir)
}

func (d *demo) program() string { return filepath.Join(d.dir, "konbit") }
func (d *demo) log() string     { return filepath.Join(d.dir, "konbit.log") }

// build builds the real program, in the module the demo is run in.
func (d *demo) build(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", d.program(), "./cmd/konbit")
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, said)
	}
	return nil
}

func moduleRoot(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	path := strings.TrimSpace(string(mod))
	if filepath.Base(path) != "go.mod" {
		return "", errors.New("run the demo inside Konbit's source tree")
	}
	return filepath.Dir(path), nil
}

func (d *demo) apply(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	return d.konbit(ctx, "apply", filepath.Join(root, "cmd", "demo", "demo.yaml"))
}

// konbit runs one command of the program to its end.
func (d *demo) konbit(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, d.program(), args...)
	cmd.Dir, cmd.Env = d.dir, d.settings.environ()
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("konbit %s: %w\n%s", args[0], err, said)
	}
	return nil
}

// serve starts the server in the demo's directory, where no .env of this machine's owner lies.
func (d *demo) serve(ctx context.Context) error {
	log, err := os.OpenFile(d.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(d.program(), "serve")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = d.dir, d.settings.environ(), log, log
	d.server, err = tether.Start(cmd, tether.Options{Signal: "TERM"})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, d.server.Stop)
	if err := waitUntilReady(ctx, d.settings["BASE_URL"]+"/readyz", d.server.Done()); err != nil {
		return fmt.Errorf("%w; its log ends:\n%s", err, tail(d.log()))
	}
	return nil
}
