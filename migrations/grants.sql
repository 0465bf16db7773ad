-- What the server's role may do, table by table; nothing else. Run by `konbit migrate` after the
-- migrations, in one transaction. {{role}} is the user of DATABASE_URL.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {{role}};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {{role}};
REVOKE CREATE ON SCHEMA public FROM PUBLIC, {{role}};
GRANT USAGE ON SCHEMA public TO {{role}};

-- A temporary table hides the real one of its name. Only the database's owner can take the right away; a hosted database may have another.
DO $$ BEGIN
    IF (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
END $$;

GRANT SELECT ON goose_db_version, account TO {{role}};

-- What is missing is recorded by the first server that starts; to change it is the owner's: konbit migrate, konbit keys rotate.
GRANT SELECT, INSERT (fact, value) ON installation TO {{role}};
GRANT SELECT ON sealed_by_key TO {{role}};

-- What documents state is the owner's to change: konbit apply. One harmless column of fund stays, for a row lock needs a right to UPDATE.
GRANT SELECT ON legal_entity, organisation, fund, books, entity_fact TO {{role}};
GRANT UPDATE (updated_at) ON fund TO {{role}};

-- When, in which transaction and in what order an entry was recorded is for the database to say.
GRANT SELECT, INSERT (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count, reverses, dimensions)
    ON journal_entry TO {{role}};
GRANT SELECT, INSERT ON posting TO {{role}};
GRANT USAGE ON SEQUENCE journal_entry_serial TO {{role}};
GRANT SELECT, INSERT (entity_id, n, entry_id, serial, hash) ON ledger_seal TO {{role}};
GRANT SELECT, INSERT ON ledger_snapshot, ledger_head TO {{role}};
GRANT SELECT, INSERT (id, entity_id, kind, subject, detail, opened_at), UPDATE (detail, opened_at, closed_at, closed_by, times) ON finance_task TO {{role}};

GRANT SELECT, INSERT, UPDATE (email, first_name, last_name, language, news_consented_at, first_gift_at,
    organisation_name, phone, address_line1, address_line2, city, region, postal_code, country, said_at) ON donor TO {{role}};
GRANT SELECT, INSERT (donor_id, kind, given, at, by) ON donor_consent TO {{role}};
GRANT SELECT, INSERT, UPDATE (status, payment_intent_id, charge_id, charged_at, settled_at, tax_date) ON donation TO {{role}};
GRANT SELECT, INSERT, UPDATE (try, session_id, session_url) ON checkout TO {{role}};
GRANT SELECT, INSERT ON payment, payment_source TO {{role}};
GRANT SELECT, INSERT (entity_id, mark, ignored, chosen_by, chosen_at) ON source_choice TO {{role}};
GRANT SELECT, INSERT ON designation, donation_step, receipt, balance_transaction TO {{role}};
GRANT SELECT, INSERT, DELETE ON donation_contact TO {{role}};
GRANT SELECT, INSERT ON donation_dedication TO {{role}}; -- deleted with the contact
GRANT SELECT, INSERT, UPDATE (last) ON receipt_counter TO {{role}};
GRANT SELECT, INSERT, DELETE ON fee_due TO {{role}};
GRANT SELECT, INSERT ON payment_share, payment_change, payment_change_share, clearing_share TO {{role}};
-- The times of the books in a dispute follow payment_change (trigger dispute_follows_change).
GRANT SELECT, INSERT (entity_id, ref, charge_ref, amount, currency, opened_at, reason, status, due_at, told_at), UPDATE (reason, status, due_at, told_at) ON dispute TO {{role}};
GRANT SELECT ON dispute_row, dispute_share, gift_ref, suspense_row, suspense_posting TO {{role}};
-- Who and when are the database's; triggers of migration 00142 require that another person approved.
GRANT SELECT, INSERT (entity_id, source_id, fund_id, amount), UPDATE (carried_by) ON clearing_move TO {{role}};
GRANT SELECT, INSERT (id, entity_id, subject, amount, currency, account_code, donation_id, refunded, reason, request_id, request_hash) ON suspense_resolution TO {{role}};
-- Bank accounts are declared (konbit apply). Who and when are the database's; triggers of migrations 00160 to 00162 hold what must add up.
GRANT SELECT ON bank_account, bank_cleared, bank_part, bank_standing, bank_standing_posting, bank_match_entry, clearing_movement, clearing_ahead, clearing_unread TO {{role}};
GRANT SELECT, INSERT (id, entity_id, account_id, on_date, amount, currency, request_id, request_hash) ON bank_opening TO {{role}};
GRANT SELECT, INSERT ON bank_opening_part, bank_statement, bank_line TO {{role}};
GRANT SELECT, INSERT (id, entity_id, fingerprint, layout), UPDATE (replaced_at) ON bank_layout TO {{role}};
GRANT SELECT, INSERT (id, entity_id, account_id, name, content), UPDATE (layout), DELETE ON bank_upload TO {{role}};
GRANT SELECT, INSERT (id, entity_id, account_id, sha256, format, bytes, lines, added, warnings) ON bank_file TO {{role}};
GRANT SELECT, INSERT (line_id, part, entity_id, account_id, amount, reason), UPDATE (joined_at) ON bank_split TO {{role}};
GRANT SELECT, INSERT (id, entity_id, account_id, words, direction, amount, parts), UPDATE (ended_at) ON bank_rule TO {{role}};
GRANT SELECT, INSERT (id, entity_id, account_id, on_date, rule_id), UPDATE (undone_at, undo_reason) ON bank_match TO {{role}};
GRANT SELECT, INSERT (match_id, line_id, part, entity_id, account_id, amount) ON bank_match_line TO {{role}};
GRANT SELECT, INSERT (match_id, n, entity_id, account_id, kind, ref, amount, booked, clears_match) ON bank_match_item TO {{role}};
GRANT SELECT, INSERT (id, entity_id, payment_id, amount, reason, note, submission, requested_by, request_id, request_hash),
    UPDATE (state, tries, stripe_refund_id, problem, checked_at) ON refund_order TO {{role}};
GRANT SELECT, INSERT ON refund_order_part, refund_request TO {{role}};
GRANT SELECT ON refund_list, refund_ordered, refund_elsewhere, refund_failed, payment_return TO {{role}};
GRANT SELECT, INSERT (id, entity_id, organisation_id, donation_id, donor_id, payout_id, task_id, text) ON staff_note TO {{role}};
GRANT SELECT ON staff_note_row, gift_key, gift_of_payout TO {{role}};
-- Numbers, people and times of batches are the database's to say; triggers of migration 00150 let a batch be posted once.
GRANT SELECT, INSERT (id, entity_id, organisation_id, received_on, counted, total, currency, fund_id, account, submission),
    UPDATE (received_on, counted, total, fund_id, account, reason, posted_at, removed_at) ON gift_batch TO {{role}};
GRANT SELECT, INSERT (batch_id, entity_id, submission, typed, donor_id, same_as, method, given_by, amount, in_return_value, number, postmarked_on, soft_credit),
    UPDATE (typed, donor_id, same_as, method, given_by, amount, in_return_value, number, postmarked_on, soft_credit, gift_id, removed_at) ON gift_batch_row TO {{role}};
GRANT SELECT, INSERT, DELETE ON gift_batch_row_part TO {{role}};
GRANT SELECT, INSERT ON offline_gift, soft_credit, thank_you TO {{role}};
-- Numbers, people and times of deposits and repayments are the database's to say; items come by a trigger on offline_gift (migrations 00190, 00191).
GRANT SELECT, INSERT (id, entity_id, currency, submission), UPDATE (account_id, deposited_on, closed_at, removed_at) ON deposit TO {{role}};
GRANT SELECT, UPDATE (deposit_id, left_at) ON deposit_item TO {{role}};
GRANT SELECT, INSERT (id, entity_id, payment_id, amount, method, number, paid_on, account_id, submission), UPDATE (withdrawn_at) ON repayment TO {{role}};
GRANT SELECT, INSERT ON repayment_part TO {{role}};
GRANT SELECT ON deposit_row, deposit_line, deposit_refund, deposit_gift, owed_payment, owed_row, repayment_row TO {{role}};
-- Imports go their way by triggers of migration 00193.
GRANT SELECT, INSERT (id, entity_id, name, sha256, content, fingerprint, rows, mapping), UPDATE (content, mapping, without_bad, posted, total, left_out, problem,
    ordered_at, ended_at, discarded_at, undo_at, undone_at) ON gift_import TO {{role}};
GRANT SELECT, INSERT, UPDATE (mapping) ON gift_import_mapping TO {{role}};
GRANT SELECT, INSERT ON gift_import_batch TO {{role}};
GRANT SELECT ON gift_import_donor, gift_import_gift, gift_import_row, payment_change_of_void TO {{role}};
-- Who voids a gift and when are the database's; triggers of migration 00195 require that another person approved.
GRANT SELECT, INSERT ON gift_void_request TO {{role}};
GRANT SELECT, INSERT (id, entity_id, gift_id, new_gift_id, request_id, request_hash) ON gift_void TO {{role}};
GRANT SELECT ON gift_voided TO {{role}};
GRANT SELECT ON payout_line, payout_transaction, payout_booked, payout_carried, payout_part TO {{role}};
GRANT SELECT ON takeout_donor, takeout_gift, takeout_designation, takeout_receipt, takeout_plan, takeout_plan_part TO {{role}};
GRANT SELECT, INSERT, UPDATE (kind, arrival_on, status, descriptor, members_stored, read_at) ON payout TO {{role}};
GRANT SELECT, INSERT ON payout_member TO {{role}};
GRANT SELECT, INSERT (charge_id, entity_id, transaction_id, amount, bill), UPDATE (cleared_at, bill) ON pending_charge TO {{role}};
GRANT SELECT, INSERT (transaction_id, entity_id, charge_id, category), UPDATE (cleared_at) ON pending_movement TO {{role}};
GRANT SELECT, INSERT, UPDATE (read_through, newest_due, nudged, idle_looks, next_look, leased_until, holder, failing_since, failure) ON balance_lookup TO {{role}};

GRANT SELECT, INSERT, UPDATE (status, frequency, amount, covered, total, paid, terms, customer_id, subscription_id, schedule_id, phase_start, iterations,
    card_brand, card_last4, card_expires, next_at, paused_until, failing_since, failing_code, failing_invoice, look_due, begun_at, ended_at, anchor_day,
    ends_at, ended_because, disputed_since, discounted) ON plan TO {{role}};
GRANT SELECT, INSERT ON plan_terms, plan_part, plan_event TO {{role}};
GRANT SELECT, INSERT, UPDATE (n, donation_id, refused, ours) ON instalment TO {{role}};
GRANT SELECT, INSERT, UPDATE (tries, carried_at, refused) ON plan_request TO {{role}};
GRANT SELECT, INSERT (id, plan_id, donor_id, token_hash, code_mac), UPDATE (ended_at), DELETE ON plan_link TO {{role}};

GRANT SELECT, INSERT, UPDATE (payload, state, tries, failures, due_at, reason, done_at) ON stripe_event TO {{role}};
-- The database sets recorded_at. Only the owner reads copies of erased receipts (receipt_kept) and their keys (receipt_pad; the server
-- counts them). The program of the previous release writes receipt_hold, which erase_people no longer reads.
GRANT SELECT, INSERT (id, asked_at, asked_by, language, due_at, done_at, tell, entity_id), UPDATE (withdrawn_at, done_at, tell) ON erasure TO {{role}};
GRANT SELECT, INSERT (erasure_id, donor_id) ON erasure_donor TO {{role}};
GRANT SELECT, INSERT (erasure_id, mac) ON erasure_address TO {{role}};
GRANT SELECT (id) ON receipt_pad TO {{role}};
GRANT SELECT (erasure_id, at) ON erasure_done TO {{role}};
GRANT SELECT ON server_limit TO {{role}};
GRANT INSERT, SELECT (receipt_id, held_until), DELETE ON receipt_hold TO {{role}};
GRANT SELECT ON erased_address, stored_address TO {{role}};
GRANT SELECT, INSERT (place, subject), DELETE ON erasure_trace TO {{role}};
GRANT SELECT, INSERT, DELETE ON erasure_trace_run TO {{role}};
-- Everybody may execute a new function, and every function of a restored dump. Of the functions that run with the owner's rights, the
-- server's role calls only those that are named below.
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
                AND (p.prosecdef OR p.proname IN ('keep_receipt', 'may_erase')) LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    END LOOP;
END $$;
-- erase_people with two arguments is what the program of the previous release calls.
GRANT EXECUTE ON FUNCTION erase_people(uuid, text[]), erase_people(uuid, text[], jsonb), drop_expired_receipts() TO {{role}};
-- The donor of a donation and of a plan changes by this alone.
GRANT EXECUTE ON FUNCTION move_gift(uuid, text, uuid, text, text) TO {{role}};
GRANT SELECT ON donation_owner_change, email_after_move TO {{role}};
-- The words of donors' names: a trigger writes them.
GRANT SELECT ON donor_word TO {{role}};
-- Sums that only these functions write. Each computes them from the rows that they are the sums of.
GRANT SELECT ON ledger_month, ledger_month_through, ledger_day, ledger_day_through, donor_year, donor_year_through, donor_year_due, donor_row, gift_row, gift_of_fund TO {{role}};
GRANT EXECUTE ON FUNCTION add_to_months(integer), rebuild_months(), add_to_days(integer), rebuild_days(), donor_years_behind(), refresh_donor_years(integer), rebuild_donor_years() TO {{role}};

-- The audit log: who and when are the database's to say. Approvals are written by functions, which read the staff session themselves.
GRANT SELECT, INSERT (act, entity_id, organisation_id, object_kind, object_id, before, after, reason) ON audit_entry TO {{role}};
GRANT SELECT ON audit_unsealed, audit_seal TO {{role}};
GRANT SELECT, INSERT (entity_id, day) ON audit_head TO {{role}};
GRANT SELECT ON approval_request, approval TO {{role}};
GRANT EXECUTE ON FUNCTION seal_audit_entries(), request_approval(uuid, uuid, uuid, text, text, text, integer, uuid),
    decide_approval(uuid, bytea, text, text, text), withdraw_approval(uuid), is_approved(uuid),
    office_entities(text[]), office_organisations(text[]), office_funds(text[]), use_staff_form(uuid, bytea, text[], uuid, uuid) TO {{role}};

GRANT SELECT, INSERT ON statement, statement_person TO {{role}};
GRANT SELECT, INSERT ON letter, receipt_void, donation_notice TO {{role}};
GRANT SELECT, INSERT (hash, content) ON email_model TO {{role}};
GRANT SELECT, INSERT (id, letter_id, recipient, cause, ordered_by, ordered_at, tries), UPDATE (tries, smtp_reply, accepted_at, refused_at, declined_at)
    ON letter_delivery TO {{role}};

GRANT SELECT, INSERT, UPDATE (n), DELETE ON guard_count TO {{role}};
GRANT SELECT, INSERT, DELETE ON guard_failure, guard_step_used TO {{role}};
GRANT SELECT, INSERT (id, organisation_id, token_hash, expires_at) ON event_pass TO {{role}};
GRANT SELECT, INSERT (pass_id, kind) ON event_pass_step TO {{role}};

-- The checkers, and nothing of what they look at but by the lines above.
GRANT SELECT ON check_paid_without_gift, check_gift_without_charge, check_uneven_entry, check_not_booked_once, check_receipt_gap,
    check_gift_without_receipt, check_receipt_not_mailed, check_job_overdue, check_event_overdue, check_clearing_differs,
    check_chain_broken, check_receipt_facts, check_restricted_below_zero, check_event_set_aside, check_erased_person,
    check_receipt_beyond_charge, check_audit_chain, check_month_differs, check_donor_year_differs, check_day_differs, check_bank_differs,
    check_deposit_differs, check_repayment_differs, check_progress TO {{role}};
GRANT SELECT, INSERT (day, checker, found, took) ON check_run TO {{role}};
GRANT SELECT, INSERT (entity_id, currency, held, kept) ON balance_observation TO {{role}};
-- When something was asked for or opened is for the database to say.
GRANT SELECT, INSERT (id, email, person_id, language, browser_hash), UPDATE (token_hash, code_mac, used_at), DELETE ON sign_in TO {{role}};
GRANT SELECT, INSERT, UPDATE (person_id, proved_at, chosen, closed) ON mailbox TO {{role}};
GRANT SELECT, INSERT (email, kind, before, after) ON mailbox_step TO {{role}};
GRANT SELECT, INSERT (id, person_id, email, sign_in_id, token_hash), UPDATE (seen_at, ended_at), DELETE ON session TO {{role}};
GRANT SELECT, INSERT ON session_network TO {{role}};

-- Staff change by the functions of migration 00120 alone, which read the session themselves. The server reads no secret and no hash of one but
-- the passwords', which it compares.
GRANT SELECT ON staff, staff_person, staff_role, staff_password, staff_passkey TO {{role}};
GRANT SELECT (id, staff_id, made_at, seen_at, ends_at, ended_at, ended_because, device, network, stage, invitation_id, factor_at, factor_kind) ON staff_session TO {{role}};
GRANT SELECT (id, staff_id, made_at, confirmed_at, ended_at) ON staff_totp TO {{role}};
GRANT SELECT (staff_id, made_at, n, used_at, ended_at) ON staff_recovery TO {{role}};
GRANT SELECT (id, staff_id, kind, made_by, made_at, expires_at, used_at, ended_at) ON staff_invitation TO {{role}};
GRANT SELECT (id, made_at), INSERT (id, hash, act, session_id, browser_hash) ON staff_challenge TO {{role}};
GRANT EXECUTE ON FUNCTION gift_import_runs(uuid) TO {{role}};
GRANT EXECUTE ON FUNCTION staff_of_session(), staff_has_role(uuid, text[], uuid, uuid), staff_factor_is_fresh(), staff_factor(),
    staff_money_factor_is_fresh(uuid), see_staff_session(), add_staff(uuid, text, text, text), change_role(text, uuid, uuid, text, uuid, uuid, uuid),
    invite_staff(uuid, uuid, text, bytea), set_invitation_token(uuid, bytea), begin_staff_session(uuid, uuid, bytea, text, text),
    use_invitation(uuid, bytea, bytea, text, text), set_staff_password(text), set_staff_totp(uuid, bytea), confirm_staff_totp(text), staff_check_code(text),
    is_staff_recovery(uuid, text), use_staff_recovery(text), set_staff_recovery(text[]), add_staff_passkey(uuid, bytea, bytea, bytea, jsonb, bigint, text),
    use_staff_passkey(bytea, bytea, bytea, uuid, bigint, jsonb, jsonb), end_staff_factor(uuid), end_staff_sessions(uuid, uuid, text),
    join_staff(uuid, uuid), delete_old_staff_sessions() TO {{role}};

GRANT SELECT, INSERT, UPDATE, DELETE ON river_job, river_leader, river_queue, river_client, river_client_queue TO {{role}};
GRANT SELECT ON river_migration TO {{role}};
GRANT USAGE ON SEQUENCE river_job_id_seq TO {{role}};
