package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"konbit/internal/app/doctor"
)

func doctorCommand() *cobra.Command {
	c := &cobra.Command{Use: "doctor", Short: "Check settings, database, Stripe and mail; say how to fix each", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(serveNeeds...)
		d := &doctor.Doctor{Settings: config.Settings, Log: config.logger()}
		d.Report("settings", err)
		for _, warning := range config.warnings() {
			d.Note("settings to look at", warning)
		}
		if err == nil {
			d.Run(c.Context())
		}
		if *asJSON {
			err = printJSON(c, d.Findings)
		} else {
			for _, f := range d.Findings {
				fmt.Fprintln(c.OutOrStdout(), f)
			}
			err = nil
		}
		if err == nil && d.Failed() {
			err = errors.New("some checks failed")
		}
		return err
	}
	return c
}
