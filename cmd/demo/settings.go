package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// entities are the legal entities of demo.yaml; each has an account of its own at the stand-in.
var entities = []string{"tsne", "grassroots-international"}

// wideLimits stop nobody who tries the demo out, by hand or by script; more than a thousand declined cards in ten
// minutes still ask for the step.
const wideLimits = "address=100000/10m network=100000/10m email=100000/1h page=100000/10m failures=1000/10m page_failures=1000/10m no_js_waits=1000/10m min_fill_time=off"

// settings are what the server reads from its environment.
type settings map[string]string

// keep gives the secret of that name from an earlier run, or a new one of 32 bytes in hexadecimal: links the server has signed and
// webhooks the stand-in has yet to deliver outlive a restart.
func (s settings) keep(earlier map[string]string, name, prefix string) {
	if s[name] = earlier[name]; s[name] != "" {
		return
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	s[name] = prefix + hex.EncodeToString(b[:])
}

// secretsOf reads the settings of an earlier run; a file that is not there, or was spoilt, has none.
func secretsOf(dir string) map[string]string {
	earlier, err := godotenv.Read(envPath(dir))
	if err != nil {
		return nil
	}
	return earlier
}

func envPath(dir string) string { return filepath.Join(dir, "env") }

// write leaves DEMO_DIR/env, which a shell reads with `set -a; . env`. It holds keys, so nobody else may read it.
func (s settings) write(dir string) error {
	var b strings.Builder
	fmt.Fprintln(&b, "# The settings of the running demo, written at each start.")
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if strings.ContainsAny(s[name], "'\n") {
			return fmt.Errorf("%s: no value may hold a quote or a line's end, which shells and .env readers read differently", name)
		}
		fmt.Fprintf(&b, "%s='%s'\n", name, s[name])
	}
	part := envPath(dir) + ".part"
	if err := os.WriteFile(part, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(part, envPath(dir))
}

// environ is the whole environment of a konbit process: nothing set for another purpose on this machine reaches it.
func (s settings) environ() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	for name, v := range s {
		env = append(env, name+"="+v)
	}
	return env
}

var outsideName = regexp.MustCompile(`[^A-Z0-9]`)

// perEntity names a setting that each legal entity has: STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL.
func perEntity(name, entity string) string {
	return name + "_" + outsideName.ReplaceAllString(strings.ToUpper(entity), "_")
}
