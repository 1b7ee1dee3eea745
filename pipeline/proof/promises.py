"""What must hold of a ledger's rows: one query each, which finds what speaks against it.

`probed.*` are the rows to be looked at (see `pipeline.proof.probed`), `ledger.*` all there
are. The numbers are those of the promises in `docs/reliability.md`.
"""

from pipeline.bookkeeping.seals import SEALS_OF_CLOSED
from pipeline.keys import REPEATED
from pipeline.outbox import DOCUMENT_PATH
from schemas.models import BUCKETS

# In words, the promises it serves, and a query whose every row is a fault.
Promise = tuple[str, tuple[int, ...], str]

_BUCKET_SUM = " + ".join(
    f"coalesce((report->'memberships'->>'{bucket}')::integer, 0)" for bucket in BUCKETS
)

_NUMBERS: tuple[Promise, ...] = (
    (
        "numbers have no gap, invoices and credit notes each for themselves",
        (1,),
        "select kind || ' ' || sequence || ' follows ' || before as fault from ("
        " select kind, sequence, lag(sequence) over (partition by kind order by sequence)"
        "  as before from probed.series) where sequence <> before + 1",
    ),
    (
        "the counters stand at the last numbers given",
        (1,),
        "with given as (select kind, max(sequence) as sequence, max(issued_on) as day"
        "  from probed.series group by kind)"
        " select coalesce(given.kind, counters.kind) || ' counter' as fault"
        " from given full join ledger.counters as counters using (kind)"
        " where sequence is distinct from last_sequence"
        " or day is distinct from last_issued_on",
    ),
    (
        "each number ends in its place in the series",
        (1,),
        "select number || ' is ' || kind || ' ' || sequence as fault"
        " from probed.series where not ends_with(number, format('{:06d}', sequence))",
    ),
    (
        "numbers rise from run to run",
        (1, 7),
        "select number || ' is of an earlier run than the one before it' as fault from ("
        " select number, run_no, lag(run_no) over (partition by kind order by sequence)"
        "  as before from probed.series) where run_no < before",
    ),
    (
        "dates never fall as numbers rise",
        (1,),
        "select number || ' is dated before the one before it' as fault from ("
        " select number, issued_on, lag(issued_on) over (partition by kind order by"
        "  sequence) as before from probed.series) where issued_on < before",
    ),
)

_SUMS: tuple[Promise, ...] = (
    (
        "each document equals its lines",
        (5,),
        "select number || ' is not the sum of its lines' as fault from probed.invoices"
        " left join (select number, sum(net) as n, sum(tax) as t, sum(gross) as g"
        "  from probed.lines group by number) as sums using (number)"
        " where n is distinct from net or t is distinct from tax"
        " or g is distinct from gross",
    ),
    (
        "every line is of a document, numbered from 1",
        (5, 7),
        "select number || ' has lines that are not numbered 1 to ' || count(*) as fault"
        " from probed.lines left join probed.invoices as invoices using (number)"
        " group by number having max(line) <> count(*) or min(line) <> 1"
        " or bool_or(invoices.kind is null)",
    ),
    (
        "net and tax make gross, line by line",
        (5,),
        "select number || ' line ' || line as fault from probed.lines"
        " where net + tax <> gross",
    ),
    (
        "every line says where its price came from",
        (9,),
        "select number || ' line ' || line as fault from probed.lines"
        " where price_source = ''",
    ),
    (
        "each night equals its invoices",
        (5, 7),
        "with made as (select run_no, count(*) as documents, sum(net) as net,"
        "  sum(tax) as tax, sum(gross) as gross from probed.invoices group by run_no)"
        " select run_id || ' made other invoices than it says' as fault"
        " from probed.runs as runs left join made using (run_no)"
        " where command = 'bill' and ("
        "  (report->>'invoices_made')::integer <> coalesce(made.documents, 0)"
        "  or (report->'totals'->>'net')::decimal(14, 2) <> coalesce(made.net, 0)"
        "  or (report->'totals'->>'tax')::decimal(14, 2) <> coalesce(made.tax, 0)"
        "  or (report->'totals'->>'gross')::decimal(14, 2) <> coalesce(made.gross, 0))",
    ),
    (
        "every document is of a run that makes documents, and has its letterhead",
        (4, 5, 7),
        "select number as fault from probed.invoices"
        " left join ledger.runs as runs using (run_no)"
        " left join ledger.letterheads as heads using (run_no)"
        " where coalesce(runs.command, '') not in ('bill', 'credit', 'adopt')"
        " or heads.practice_name is null",
    ),
    (
        "no credit note takes back more than its invoice",
        (4, 5),
        "select invoices.number as fault from ledger.invoices as invoices"
        " inner join ledger.invoices as credit on credit.credits_number = invoices.number"
        " where invoices.number in (select credits_number from probed.invoices)"
        " group by invoices.number, invoices.gross"
        " having -sum(credit.gross) > invoices.gross",
    ),
    (
        "every credit note is of an invoice",
        (4,),
        "select credit.number as fault from probed.invoices as credit"
        " left join ledger.invoices as invoices"
        "  on credit.credits_number = invoices.number and invoices.kind = 'invoice'"
        " where credit.kind = 'credit_note' and invoices.number is null",
    ),
    (
        "every line of a credit note is of a line of its invoice, with the same tax",
        (4, 5),
        "select note.number || ' line ' || note.line as fault from probed.lines as note"
        " inner join probed.invoices as notes on note.number = notes.number"
        " anti join ledger.lines as lines on lines.number = notes.credits_number"
        "  and lines.line = note.credits_line and lines.patient_id = note.patient_id"
        "  and lines.product_code = note.product_code and lines.tax_code = note.tax_code"
        "  and lines.tax_rate = note.tax_rate"
        "  and lines.period_start is not distinct from note.period_start"
        " where notes.kind = 'credit_note'",
    ),
    (
        "no line is taken back for more than it is",
        (4, 5),
        "select lines.number || ' line ' || lines.line as fault"
        " from ledger.lines as lines inner join ledger.invoices as notes"
        "  on notes.credits_number = lines.number"
        " inner join ledger.lines as note on note.number = notes.number"
        "  and note.credits_line = lines.line"
        " where lines.number in (select credits_number from probed.invoices)"
        " group by lines.number, lines.line, lines.net, lines.tax, lines.gross"
        " having -sum(note.net) > lines.net or -sum(note.tax) > lines.tax"
        " or -sum(note.gross) > lines.gross",
    ),
)

_PERIODS: tuple[Promise, ...] = (
    (
        "no day of a membership is billed twice",
        (2,),
        "select patient_key || ': ' || number as fault from ("
        " select *, max(period_end) over (partition by patient_key order by period_start"
        "  rows between unbounded preceding and 1 preceding) as before"
        " from tonight.in_force.billed_periods where patient_key in"
        "  (select patient_key from probed.billed_periods)) where period_start <= before",
    ),
    (
        "a period or request is billed again only after it was freed",
        (2,),
        "with used as (select patient_key || ' ' || period_start as key, generation,"
        "  number from probed.billed_periods union all"
        "  select request_key, generation, number from probed.filled_requests),"
        " freed as (select patient_key || ' ' || period_start as key, generation, number"
        "  from ledger.released_periods union all"
        "  select request_key, generation, number from ledger.released_requests),"
        " since as (select key, generation, run_no from freed"
        "  inner join ledger.invoices using (number))"
        " select used.number || ' bills ' || used.key || ' once more' as fault from used"
        " inner join ledger.invoices as invoices using (number)"
        " left join since on since.key = used.key"
        "  and since.generation = used.generation - 1"
        " where used.generation > 1 and coalesce(since.run_no >= invoices.run_no, true)",
    ),
    (
        "what was freed was billed, and is credited in full by a note that says so",
        (2, 5),
        "with freed as (select used.number, used.line, freed.number as note,"
        "  freed.line as note_line from probed.released_periods as freed"
        "  left join ledger.billed_periods as used"
        "   using (patient_key, period_start, generation)"
        "  union all select used.number, used.line, freed.number, freed.line"
        "  from probed.released_requests as freed"
        "  left join ledger.filled_requests as used using (request_key, generation)),"
        " said as (select notes.credits_number as number, lines.credits_line as line,"
        "  lines.number as note, lines.line as note_line from probed.lines as lines"
        "  inner join probed.invoices as notes using (number) where lines.rebill),"
        " taken as (select notes.credits_number as number, lines.credits_line as line,"
        "  -sum(lines.gross) as credited from ledger.lines as lines"
        "  inner join ledger.invoices as notes using (number)"
        "  where notes.credits_number in"
        "  (select credits_number from probed.invoices) group by all)"
        " select coalesce(freed.note, said.note) as fault from freed"
        " full join said using (number, line, note, note_line)"
        " left join taken using (number, line)"
        " left join ledger.lines as lines using (number, line)"
        " where freed.note is null or said.note is null"
        " or credited is distinct from lines.gross",
    ),
    (
        "what is billed in place of another line follows on its being freed",
        (2,),
        "select lines.number || ' line ' || lines.line as fault"
        " from probed.lines as lines inner join probed.invoices as invoices using (number)"
        " where replaces_number is not null and not exists (select 1"
        "  from ledger.lines as note inner join ledger.invoices as notes"
        "  on note.number = notes.number where note.rebill"
        "  and notes.credits_number = lines.replaces_number"
        "  and note.credits_line = lines.replaces_line"
        "  and notes.run_no < invoices.run_no)",
    ),
    (
        "every billed period has its line",
        (2,),
        "select number || ' line ' || line as fault from probed.billed_periods as billed"
        " anti join probed.lines as lines using (number, line, period_start, period_end)",
    ),
    (
        "every line for a period of an invoice uses that period up",
        (2,),
        "select lines.number || ' line ' || lines.line as fault"
        " from probed.lines as lines inner join probed.invoices as invoices using (number)"
        " anti join probed.billed_periods as billed"
        "  on billed.number = lines.number and billed.line = lines.line"
        " where invoices.kind = 'invoice' and lines.period_start is not null",
    ),
    (
        "every request that was filled has its line, and the other way round",
        (2, 3),
        "with asked as (select number, line, request_id from probed.lines"
        "  inner join probed.invoices using (number)"
        "  where kind = 'invoice' and request_id is not null)"
        " select number as fault from probed.filled_requests"
        " full join asked using (number, line)"
        " where request_id is null or request_key is null",
    ),
    (
        "every sending is of a document, and not before it was made",
        (4,),
        "select number as fault from probed.sendings"
        " left join ledger.invoices as invoices using (number)"
        " where invoices.kind is null or sent_on < issued_on",
    ),
)

_NIGHTS: tuple[Promise, ...] = (
    (
        "the last night's buckets add up to the roster",
        (3,),
        "with last as (select * from ledger.runs where command = 'bill'"
        "  order by run_no desc limit 1),"
        " placed as (select * from ledger.standings_now)"
        f" select 'the buckets of ' || run_id || ' add up to ' || ({_BUCKET_SUM})"
        "  as fault from last"
        f" where ({_BUCKET_SUM}) <>"
        "  (select count(*) from placed where not removed)",
    ),
    (
        "where each membership stands is what was noted of it last",
        (3,),
        "with last as (select * from probed.standings qualify row_number() over"
        "  (partition by standing_key order by run_no desc) = 1)"
        " select standing_key as fault from (from last except from ledger.standings_now)"
        " union all select standing_key from ledger.standings_now"
        "  anti join ledger.standings using (standing_key, run_no)",
    ),
    (
        "whoever is held is held for a reason",
        (3, 9),
        "select 'held without a reason: ' || coalesce(patient_id, standing_key) as fault"
        " from probed.standings where bucket = 'held' and not removed"
        " and coalesce(reason, '') = ''",
    ),
    (
        "every change of a guarded row that counts has its editor's name",
        (14,),
        "select table_name || ' ' || subject || ', ' || column_title as fault"
        " from probed.changes where accepted and edited_by is null and table_name in"
        " ('Products', 'Contract prices', 'Price changes', 'Tax codes', 'Settings')",
    ),
    (
        "runs are numbered without a gap, and each change belongs to one",
        (7,),
        "select 'run ' || run_no || ' follows ' || before as fault from (select run_no,"
        "  lag(run_no, 1, 0) over (order by run_no) as before from ledger.runs)"
        " where run_no <> before + 1"
        " union all select table_name || ' changed by an unknown run' from probed.changes"
        " anti join ledger.runs using (run_no)",
    ),
    (
        "nothing is recorded twice",
        (1, 2, 7),
        REPEATED,
    ),
    (
        "each link of the chain holds on to the one before it",
        (4, 11),
        "select 'link ' || position as fault from probed.links left join"
        " (select position + 1 as position, sha256 as before from probed.links)"
        " using (position) where previous <> coalesce(before, case position"
        "  when 1 then repeat('0', 64)"
        "  when (select min(position) from probed.links) then previous else '' end)",
    ),
    (
        "every document is posted for publishing",
        (6,),
        "select number as fault from probed.invoices as invoices anti join probed.outbox"
        f" as outbox on outbox.path = {DOCUMENT_PATH}",
    ),
    (
        "no file was ever published outside its folder",
        (13,),
        "select distinct path as fault from (select path from probed.published"
        "  union all select path from probed.outbox) where not"
        " regexp_full_match(path, '([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+(\\.[a-z]+)?')",
    ),
)

_MONTHS: tuple[Promise, ...] = (
    (
        "every closed month is what it was sealed with",
        (4, 5),
        f"with seals as ({SEALS_OF_CLOSED}) select month as fault"
        " from probed.closed_months as closed left join seals using (month)"
        " left join ledger.runs as runs on closed.run_no = runs.run_no"
        "  and runs.command = 'close' and (runs.report->>'month') = month"
        " where closed.sha256 <> coalesce(seals.sha256, sha256(''))"
        " or closed.invoices <> coalesce(seals.invoices, 0)"
        " or closed.credit_notes <> coalesce(seals.credit_notes, 0)"
        " or closed.net <> coalesce(seals.net, 0)"
        " or closed.tax <> coalesce(seals.tax, 0)"
        " or closed.gross <> coalesce(seals.gross, 0)"
        " or closed.sha256 is distinct from (runs.report->>'sha256')"
        " or closed.gross is distinct from (runs.report->>'gross')::decimal(14, 2)",
    ),
    (
        "whatever a run closed stays closed",
        (4,),
        "select concat(run_id, ' closed ', report->>'month') as fault from ledger.runs"
        " as runs anti join ledger.closed_months using (run_no)"
        " where command = 'close'",
    ),
    (
        "nothing is issued in a month after it was closed",
        (4, 5),
        "select number as fault from probed.invoices as invoices"
        " inner join ledger.closed_months as closed"
        "  on strftime(issued_on, '%Y-%m') <= month"
        " where invoices.run_no > closed.run_no",
    ),
)

# What each export said it took, in its run's report, which the chain covers.
_SAID = (
    "(select run_no, (report->>'target') as target,"
    " unnest(json_extract_string(report, '$.numbers[*]')) as number"
    " from probed.runs where command = 'export')"
)

_EXPORTS: tuple[Promise, ...] = (
    (
        "each document left once per target",
        (2, 4),
        "select number || ' left for ' || target || ' more than once' as fault"
        f" from {_SAID} group by target, number having count(*) > 1"
        " union all select number || ' is not in the batch for ' || target"
        f"  || ' that took it' from {_SAID} as said"
        " full join probed.exported_documents as taken using (run_no, target, number)"
        " where said.run_no is null or taken.run_no is null",
    ),
    (
        "each batch that left equals its documents, and keeps its layout",
        (4, 5, 6),
        "with taken as (select taken.run_no, count(*) as documents, sum(gross) as gross"
        "  from probed.exported_documents as taken"
        "  left join ledger.invoices using (number) group by taken.run_no)"
        " select run_id || ' took other documents than it says' as fault"
        " from probed.runs as runs"
        " left join ledger.export_batches as batches using (run_no)"
        " left join taken using (run_no)"
        " where command = 'export' and ("
        "  sha256(layout) is distinct from (report->>'layout_sha256')"
        "  or target is distinct from (report->>'target')"
        "  or taken.documents is distinct from"
        "   json_array_length((report->'numbers'))"
        "  or coalesce(taken.gross, 0) <>"
        "   (report->'totals'->>'gross')::decimal(14, 2))",
    ),
    (
        "what left is a document, or what a month released that was closed by then",
        (4, 6),
        "select taken.number || ' left for ' || taken.target || ' and is neither'"
        "  as fault from probed.exported_documents as taken"
        " left join ledger.invoices as invoices using (number)"
        " inner join ledger.export_batches as batches"
        "  on taken.run_no = batches.run_no"
        " where invoices.number is null and ("
        "  (try_cast(layout as json)->>'of') is distinct from 'postings'"
        "  or not exists (select 1 from ledger.closed_months as closed"
        "   where closed.run_no < taken.run_no and closed.month >= taken.number))",
    ),
)

PROMISES: tuple[Promise, ...] = (
    _NUMBERS + _SUMS + _PERIODS + _NIGHTS + _MONTHS + _EXPORTS
)
