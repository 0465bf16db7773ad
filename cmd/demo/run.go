package main

import (
	"context"
	"database/sql"
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
	"konbit/migrations"
)

// demo is the running parts. stop stops them in the reverse order of their start.
type demo struct {
	config
	out      io.Writer
	settings settings
	db       *localpg.Server
	cards    *stripefake.Server
	mail     *mailcatch.Server
	staff    []mailcatch.Login
	server   *tether.Process
	stops    []func()
}

func (d *demo) stop() {
	for len(d.stops) > 0 {
		last := len(d.stops) - 1
		d.stops[last]()
		d.stops = d.stops[:last]
	}
}

func (d *demo) printf(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// run runs the demo until ctx ends or a part of it ends. It returns nil if ctx ended.
func run(ctx context.Context, c config, out io.Writer) error {
	d := &demo{config: c, out: out, settings: settings{}}
	defer d.stop()
	began := time.Now()
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped during the start
		}
		return err
	}
	d.welcome(time.Since(began))
	defer d.startHistory(ctx)()
	for {
		served := time.Now()
		select {
		case <-ctx.Done():
			d.printf("\nStopping. The data stays in %s; make demo-reset deletes it.", relativePath(d.dir))
			return nil
		case <-d.db.Done():
			return fmt.Errorf("PostgreSQL ended; see %s.log", relativePath(d.dataDir()))
		case <-d.server.Done():
		}
		if time.Since(served) < minRunTime {
			return fmt.Errorf("the server ended (%w); the end of its log:\n%s", d.server.Err(), tail(d.log()))
		}
		// A user may have killed it, to see what happens to donations.
		d.printf("The server ended (%v); starting it again.", d.server.Err())
		if err := d.serve(ctx); err != nil {
			return err
		}
	}
}

// minRunTime: a server that ends sooner than this cannot run at all and is not started again.
const minRunTime = 3 * time.Second

func (d *demo) start(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"listening", d.listenAll},
		{"building the server", d.build},
		{"starting PostgreSQL", d.startDatabase},
		{"migrating the database", func(ctx context.Context) error { return d.runKonbit(ctx, "migrate") }},
		{"letting erasures follow the stand-in's clock", d.liftErasureDelay},
		{"applying the organisations", d.apply},
		{"setting up the webhooks", d.createEndpoints},
		{"starting the server", d.serve},
		{"adding the staff", d.addStaff},
	}
	for _, step := range steps {
		began := time.Now()
		fmt.Fprintf(d.out, "%s … ", step.what)
		if err := step.do(ctx); err != nil {
			d.printf("failed")
			return err
		}
		d.printf("%.1f s", time.Since(began).Seconds())
	}
	return nil
}

// listenAll listens on all addresses first, so that an address in use is reported before anything is built. It fills
// in the settings.
func (d *demo) listenAll(context.Context) error {
	addr, err := reserve(d.addr, "DEMO_ADDR")
	if err != nil {
		return err
	}
	d.addr = addr
	earlier := readEarlier(d.dir)
	s := d.settings
	s["LISTEN_ADDR"] = d.addr
	s["BASE_URL"] = pageAddress(d.addr)
	s["LOG_FORMAT"] = "text"
	s["GIVE_LIMITS"] = wideLimits
	s.setSecret(earlier, "SECRET_KEY", "")
	for _, entity := range entities {
		s[perEntity("STRIPE_SECRET_KEY", entity)] = "sk_test_" + entity
		s.setSecret(earlier, perEntity("STRIPE_WEBHOOK_SECRET", entity), "whsec_")
	}
	if err := d.startMail(); err != nil {
		return err
	}
	return d.startStripe()
}

func (d *demo) startMail() error {
	l, err := listen(d.mailAddr, "DEMO_MAIL_ADDR")
	if err != nil {
		return err
	}
	catcher, err := mailcatch.New(mailcatch.Options{Dir: filepath.Join(d.dir, "mail")})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	d.mail = catcher
	d.mailAddr = l.Addr().String()
	d.settings["SMTP_URL"] = catcher.SMTPURL()
	d.settings["MAIL_FROM"] = "Konbit <konbit@konbit.example>"
	d.stops = append(d.stops, func() { _ = catcher.Close() }, serve(l, catcher))
	return nil
}

//go:embed demo.yaml
var organisations []byte

// legalNames returns the legal names of the entities by slug. The payment page shows them.
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

// liftErasureDelay sets that the database does an erasure when the server asks for it. The database's own clock does not
// move with the stand-in's, so an erasure would wait three more days although the stand-in's clock has passed its day.
func (d *demo) liftErasureDelay(ctx context.Context) error {
	db, err := sql.Open("postgres", d.settings["DATABASE_OWNER_URL"])
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it is a no-op
	if _, err := tx.ExecContext(ctx, `UPDATE server_limit SET erasure_delay = '0'`); err != nil {
		return err
	}
	return tx.Commit()
}

// createEndpoints creates the webhook endpoints at the stand-in by `konbit stripe endpoint`.
func (d *demo) createEndpoints(ctx context.Context) error {
	for _, entity := range entities {
		if err := d.runKonbit(ctx, "stripe", "endpoint", "--entity", entity); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) startStripe() error {
	l, err := listen(d.cardAddr, "DEMO_CARD_ADDR")
	if err != nil {
		return err
	}
	d.cardAddr = l.Addr().String()
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
			Bank:           bankAccounts[entity],
		})
	}
	cards, err := stripefake.New(stripefake.Options{
		StatePath: filepath.Join(d.dir, "cards.json"),
		PublicURL: webAddress(d.cardAddr),
		Accounts:  accounts,
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	d.cards = cards
	d.settings["STRIPE_API_URL"] = webAddress(d.cardAddr)
	d.stops = append(d.stops, func() { _ = cards.Close() }, serve(l, cards))
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
	d.stops = append(d.stops, db.Stop)
	const owner, server, name = "konbit_owner", "konbit_server", "konbit"
	if err := errors.Join(db.CreateRole(ctx, owner), db.CreateRole(ctx, server), db.CreateDatabase(ctx, name, owner)); err != nil {
		return err
	}
	for _, statement := range migrations.OfficeStatements(server) {
		if err := db.Run(ctx, statement); err != nil {
			return err
		}
	}
	d.settings["DATABASE_URL"] = db.URL(server, name)
	d.settings["DATABASE_OWNER_URL"] = db.URL(owner, name)
	return d.settings.write(d.dir)
}

func (d *demo) program() string { return filepath.Join(d.dir, "konbit") }
func (d *demo) log() string     { return filepath.Join(d.dir, "konbit.log") }

// build builds the program from the module in which the demo runs.
func (d *demo) build(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", d.program(), "./cmd/konbit")
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, output)
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
	return d.runKonbit(ctx, "apply", filepath.Join(root, "cmd", "demo", "demo.yaml"))
}

// runKonbit runs one command of the program until it ends.
func (d *demo) runKonbit(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, d.program(), args...)
	cmd.Dir, cmd.Env = d.dir, d.settings.environ()
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("konbit %s: %w\n%s", args[0], err, output)
	}
	return nil
}

// serve starts the server in the demo's directory, so that it reads no other .env.
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
	d.stops = append(d.stops, d.server.Stop)
	if err := waitUntilReady(ctx, d.settings["BASE_URL"]+"/readyz", d.server.Done()); err != nil {
		return fmt.Errorf("%w; the end of its log:\n%s", err, tail(d.log()))
	}
	return nil
}
