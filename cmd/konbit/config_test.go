package main

import (
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// example returns .env.example with a SECRET_KEY of its own.
func example(t *testing.T) map[string]string {
	t.Helper()
	env := unchangedExample(t)
	env["SECRET_KEY"] = ownKey
	return env
}

func unchangedExample(t *testing.T) map[string]string {
	t.Helper()
	env, err := godotenv.Read("../../.env.example")
	require.NoError(t, err)
	return env
}

// ownKey is a random key.
const ownKey = "427bd8773ee281bdb95928a3479d867de90993af6a31602ed2cf86dee57b16e5"

// TestExampleNamesEverySetting checks that .env.example has all settings that the program reads, and no others.
func TestExampleNamesEverySetting(t *testing.T) {
	env := example(t)
	asked := map[string]bool{}
	_, err := readConfigFrom(&reader{env: env, asked: func(name string) { asked[name] = true }})
	require.NoError(t, err)
	require.Equal(t, slices.Sorted(maps.Keys(env)), slices.Sorted(maps.Keys(asked)))
}

func TestExampleIsComplete(t *testing.T) {
	c, err := readConfig(example(t), needDatabase, needOwner, needBase, needSecret, needSMTP)
	require.NoError(t, err)
	require.Equal(t, "give.example.org", c.BaseURL.Host)
	require.Len(t, c.SecretKey, 32)
	require.Equal(t, []string{"whsec_change_me"}, c.Stripe["tsne"].WebhookSecrets)
}

// TestSecretsOfTheExampleAreRefused checks that no server starts with public keys. Other commands check SECRET_KEY only,
// since `konbit stripe endpoint` is needed to get the webhook secret.
func TestSecretsOfTheExampleAreRefused(t *testing.T) {
	_, err := readConfig(unchangedExample(t), serveNeeds...)
	for _, fix := range []string{
		"SECRET_KEY is the public one of .env.example: set it to 32 random bytes in hexadecimal, e.g. the output of: openssl rand -hex 32",
		"DATABASE_URL has the password of .env.example", "STRIPE_SECRET_KEY_TSNE is the public one of .env.example",
		"STRIPE_WEBHOOK_SECRET_TSNE is the public one of .env.example: konbit stripe endpoint --entity tsne",
	} {
		require.ErrorContains(t, err, fix)
	}
	own := example(t)
	own["DATABASE_URL"] = "postgres://konbit_server:x@localhost/konbit"
	own["STRIPE_SECRET_KEY_TSNE"], own["STRIPE_WEBHOOK_SECRET_TSNE"] = "sk_test_1", "whsec_1"
	_, err = readConfig(own, serveNeeds...)
	require.NoError(t, err)
}

// TestUnknownNamesAreReported checks that misspelled names in .env are reported (METRIC_ADDR for METRICS_ADDR). Other
// names in the environment belong to other programs.
func TestUnknownNamesAreReported(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("METRIC_PORT", "9090")
	for _, name := range []string{"METRICS_ADDR", "STRIPE_SECRET_KEY_TSNE_FILE"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	require.NoError(t, os.WriteFile(".env", []byte("METRIC_ADDR=:9090\nLISTEN_ADDR=:8080\nSECRET_KEY_FILE=key\nMAIL_DKIM_DOMAIN_TSNE=\nSTRIPE_KEY_TSNE=sk_test_1\n"), 0o600))
	require.NoError(t, os.WriteFile("key", []byte(ownKey+"\n"), 0o600))
	c, err := loadConfig()
	require.NoError(t, err)
	require.Equal(t, []string{"METRIC_ADDR", "STRIPE_KEY_TSNE"}, c.Unread)
	out, err := runCommand(t, "doctor")
	require.Error(t, err)
	require.Contains(t, out, "✓ settings to look at: .env has METRIC_ADDR, STRIPE_KEY_TSNE, which nothing reads")
}

func TestAllMistakesAreReportedTogether(t *testing.T) {
	_, err := readConfig(map[string]string{
		"BASE_URL": "give.example.org", "METRICS_ADDR": "9090", "SECRET_KEY": "short", "LOG_FORMAT": "xml", "MAIL_FROM": "nobody",
		"REQUEST_TIMEOUT": "1h",
		"STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL": "pk_test_1",
	}, needDatabase, needSMTP, needHooks)
	require.Error(t, err)
	for _, fix := range []string{
		"BASE_URL is \"give.example.org\": want an address such as https://", "SECRET_KEY is not in hexadecimal: set it to 32 random bytes",
		"openssl rand -hex 32", "METRICS_ADDR is \"9090\": want a port such as :9090", "LOG_FORMAT is \"xml\": want one of json, text", "MAIL_FROM is \"nobody\"",
		"REQUEST_TIMEOUT is \"1h\": want a time from 500ms to 10s",
		"STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL is not a secret key", "STRIPE_WEBHOOK_SECRET_GRASSROOTS_INTERNATIONAL is not set",
		"DATABASE_URL is not set", "SMTP_URL is not set",
	} {
		require.ErrorContains(t, err, fix)
	}
	require.NotContains(t, err.Error(), "pk_test_1", "a wrong key is still a secret")
}

// TestKeysThatAreNotRandomAreRefused lists what people write instead of a key. Every command refuses it, and the error
// says how to make one without repeating what was written.
func TestKeysThatAreNotRandomAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ key, why string }{
		"of the example": {unchangedExample(t)["SECRET_KEY"], "is the public one of .env.example"},
		"a placeholder":  {"changeme", "is not in hexadecimal"},
		"a text":         {hex.EncodeToString([]byte("changemechangemechangemechangeme")), "is text, not random bytes"},
		"equal bytes":    {strings.Repeat("ee", 32), "follows a pattern"},
		"too short":      {ownKey[:32], "is shorter than 32 bytes"},
		"in base64":      {"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE=", "is not in hexadecimal"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readConfig(map[string]string{"SECRET_KEY": c.key})
			require.ErrorContains(t, err, "SECRET_KEY "+c.why)
			require.ErrorContains(t, err, "openssl rand -hex 32")
			require.NotContains(t, err.Error(), c.key)
		})
	}
}

// TestOldKeys: keys that were replaced are accepted even if they are weak, for they must be replaced.
func TestOldKeys(t *testing.T) {
	weak := strings.Repeat("5e", 32)
	c, err := readConfig(map[string]string{"SECRET_KEY": ownKey, "SECRET_KEY_OLD": weak + ", " + ownKey + ",09dce9a94e0d45ce20997d8fc80b2f212ef43edcf1bbc13aca2921242b11f7db"})
	require.NoError(t, err)
	require.Len(t, c.Keys().Fingerprints(), 3, "SECRET_KEY itself counts once")
	require.Len(t, c.OldSecretKeys, 3)
	for old, why := range map[string]string{
		"short": "contains what is not 32 bytes", weak[:62]: "contains what is not 32 bytes", ownKey + "," + strings.Repeat("00", 32): "the public key of .env.example",
	} {
		_, err := readConfig(map[string]string{"SECRET_KEY": ownKey, "SECRET_KEY_OLD": old})
		require.ErrorContains(t, err, "SECRET_KEY_OLD "+"contains")
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), old)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("  sk_test_abc\n"), 0o600))
	env := map[string]string{"STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL_FILE": file, "STRIPE_WEBHOOK_SECRET_GRASSROOTS_INTERNATIONAL": "whsec_1, whsec_2"}
	c, err := readConfig(env)
	require.NoError(t, err)
	require.Equal(t, "sk_test_abc", c.Stripe["grassroots-international"].Secret)
	require.Equal(t, []string{"whsec_1", "whsec_2"}, c.Stripe["grassroots-international"].WebhookSecrets)

	env["STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL"] = "sk_test_other"
	_, err = readConfig(env)
	require.ErrorContains(t, err, "unset one of them")
	_, err = readConfig(map[string]string{"SECRET_KEY_FILE": filepath.Join(t.TempDir(), "gone")})
	require.ErrorContains(t, err, "SECRET_KEY_FILE cannot be read")
}

func TestErrorsDoNotShowDatabasePasswords(t *testing.T) {
	for _, wrong := range []string{
		"postgres://u:s3cret@localhost:po rt/db", "postgres://u:s3cret%zz@localhost/db", "mysql://u:s3cret@localhost/db", "s3cret", "postgres:///db?password=s3cret",
		"host=localhost user=u password=s3cret",
	} {
		_, err := readConfig(map[string]string{"DATABASE_URL": wrong, "DATABASE_OWNER_URL": wrong})
		require.ErrorContains(t, err, "DATABASE_URL is not the address of a database with a role: set it to the database of the server's role")
		require.ErrorContains(t, err, "DATABASE_OWNER_URL is not the address")
		require.NotContains(t, err.Error(), "s3cret")
	}
	for _, right := range []string{
		"postgres://konbit_server@/konbit?host=%2Frun%2Fpostgresql", "postgres://konbit_server@a,b/konbit", "postgres://konbit_server@/konbit?host=a,b&port=5432,5433",
	} {
		_, err := readConfig(map[string]string{"DATABASE_URL": right})
		require.NoError(t, err, right)
	}
	// The driver reads a:5432 as a host name.
	_, err := readConfig(map[string]string{"DATABASE_URL": "postgres://u:s3cret@a:5432,b:5433/konbit"})
	require.ErrorContains(t, err, "host=a,b&port=5432,5432")
	require.NotContains(t, err.Error(), "s3cret")
}

func TestMetricsListenOnLoopbackByDefault(t *testing.T) {
	for given, want := range map[string]string{"": "", ":9090": "127.0.0.1:9090", "0.0.0.0:9090": "0.0.0.0:9090", "[::1]:9090": "[::1]:9090"} {
		t.Run("METRICS_ADDR="+given, func(t *testing.T) {
			c, err := readConfig(map[string]string{"METRICS_ADDR": given})
			require.NoError(t, err)
			require.Equal(t, want, c.MetricsAddr)
		})
	}
	_, err := readConfig(map[string]string{"METRICS_ADDR": ":8080"})
	require.ErrorContains(t, err, "METRICS_ADDR is LISTEN_ADDR")
}

// TestOnlyServersNeedWebhookSecrets: the command that creates an endpoint runs before there is a secret.
func TestOnlyServersNeedWebhookSecrets(t *testing.T) {
	env := map[string]string{"STRIPE_SECRET_KEY_TSNE": "sk_test_1"}
	c, err := readConfig(env)
	require.NoError(t, err)
	require.Equal(t, "sk_test_1", c.Stripe["tsne"].Secret)
	_, err = readConfig(env, needHooks)
	require.ErrorContains(t, err, "STRIPE_WEBHOOK_SECRET_TSNE is not set: konbit stripe endpoint --entity tsne")
}

func TestExitStatus(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"DATABASE_URL", "DATABASE_OWNER_URL", "BASE_URL", "SECRET_KEY", "SMTP_URL"} {
		t.Setenv(name, "")
	}
	for args, want := range map[string]int{
		"--help": 0, "serve --help": 0,
		"fly": 2, "serve now": 2, "ledger": 2, "ledger burn": 2, "apply": 2, "serve --workers=maybe": 2, "export journal --format xls": 2,
		"stripe events": 2, "stripe events list --state lost": 2, "stripe events list --limit -1": 2, "stripe events replay": 2,
		"stripe events replay evt_1 --set-aside": 2, "event-mode": 2, "event-mode open --hours 9": 2,
		"events": 2, "events replay": 2, "event open --hours 9": 2, // their old names
		"statements": 2, "stripe": 2, "stripe endpoint": 2, "stripe endpoint --entity tsne": 1, "stripe events list": 1, "events list": 1, "doctor": 1,
		"serve": 1, "migrate": 1, "ledger balance": 1,
	} {
		t.Run("konbit "+args, func(t *testing.T) {
			require.Equal(t, want, run(t.Context(), strings.Fields(args)), "konbit %s", args)
		})
	}
}

// TestOldCommandNames checks that the names of earlier releases still work, are hidden from the help, and warn.
func TestOldCommandNames(t *testing.T) {
	for old, now := range map[string]string{"events": "stripe events", "event": "event-mode"} {
		t.Run(old, func(t *testing.T) {
			c, _, err := commands().Find([]string{old, "list"})
			require.NoError(t, err)
			require.Equal(t, "konbit "+old+" list", c.CommandPath())
			require.True(t, c.Parent().Hidden)
			require.NotNil(t, c.PreRun)
			c, _, err = commands().Find(append(strings.Fields(now), "list"))
			require.NoError(t, err)
			require.Equal(t, "konbit "+now+" list", c.CommandPath())
			require.Nil(t, c.PreRun, now)
		})
	}
}

func TestStatementsNeedAYear(t *testing.T) {
	_, err := runCommand(t, "statements")
	require.ErrorIs(t, err, errUse)
	require.ErrorContains(t, err, "--year is needed, for example --year 20")
	_, err = runCommand(t, "statements", "--year", "0")
	require.ErrorContains(t, err, "--year 0: want the year of the donations")
}

// TestStatementsOfAYearThatIsNotOver: refused for wrong use before anything is issued; --so-far is for such a year only.
func TestStatementsOfAYearThatIsNotOver(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	h.SettledGift(program.ValidForm())
	year := time.Now().In(h.Offer("csio").Entity.Location()).Year()
	for _, more := range [][]string{{}, {"--dry-run"}, {"--entity", "tsne", "--json"}} {
		_, err := runCommand(t, append([]string{"statements", "--year", strconv.Itoa(year)}, more...)...)
		require.ErrorIs(t, err, errUse)
		require.ErrorContains(t, err, "annual statements are issued when their calendar year is over")
	}
	_, err := runCommand(t, "statements", "--year", strconv.Itoa(year-1), "--so-far")
	require.ErrorIs(t, err, errUse)
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE kind LIKE 'statement%'`))
	out, err := runCommand(t, "statements", "--year", strconv.Itoa(year), "--so-far", "--dry-run", "--json")
	require.NoError(t, err)
	require.Contains(t, strings.Join(strings.Fields(out), ""), `"mailed":1`, "what would be sent")
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE kind LIKE 'statement%'`))
	out, err = runCommand(t, "statements", "--year", strconv.Itoa(year), "--so-far")
	require.NoError(t, err)
	require.Contains(t, out, "The emails say that they are no annual statement. None was issued.")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'statement_so_far_letter'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM statement`))
}
