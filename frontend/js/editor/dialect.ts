// The words of Flink SQL, for colours and for keyword completion.
import { SQLDialect } from "@codemirror/lang-sql";

const keywords =
  "add after all alter and any as asc at before between both by cascade case cast catalog check collate column columns " +
  "comment constraint create cross cube current database databases default delete desc describe descriptor distinct drop " +
  "else emit end enforced escape except exists explain false fetch first following for from full function functions " +
  "generated group grouping having if ignore in inner insert intersect interval into is join key last lateral leading " +
  "left like limit match_recognize metadata modify natural next not null nulls of offset on only option or order outer " +
  "over overwrite partition partitioned preceding primary qualify range rename replace reset respect right rollup row " +
  "rows select set sets show similar some statement system_time table tables tablesample temporary then to trailing true " +
  "try_cast unbounded union unique unnest update use using values view views virtual watermark when where window with " +
  "within without year month day hour minute second";

const types =
  "array bigint binary boolean bytes char date decimal double float int integer map multiset numeric precision raw row " +
  "smallint string time timestamp timestamp_ltz tinyint varbinary varchar zone";

const functions =
  "abs array_contains avg cardinality ceil char_length coalesce collect concat concat_ws count cumulate current_date " +
  "current_timestamp date_format dense_rank exp extract first_value floor from_unixtime greatest hop ifnull initcap " +
  "json_exists json_query json_value lag last_value lead least listagg ln localtimestamp lower lpad ltrim max md5 min mod " +
  "now nullif parse_url position power proctime rand rank regexp regexp_extract regexp_replace replace reverse round " +
  "row_number rowtime rpad rtrim session sha256 sign split_index sqrt substr substring sum timestampadd timestampdiff " +
  "to_date to_timestamp to_timestamp_ltz trim truncate tumble unix_timestamp upper uuid";

/** The dialect, with the names of the functions that the server knows beside the usual ones. */
export function flink(known: readonly string[] = []): SQLDialect {
  const names = new Set([...functions.split(" "), ...known.map((name) => name.toLowerCase())]);
  return SQLDialect.define({
    keywords,
    types,
    builtin: [...names].join(" "),
    identifierQuotes: "`",
    caseInsensitiveIdentifiers: true,
    operatorChars: "*+-%<>!=&|~^/",
    specialVar: "",
  });
}
