SELECT CONCAT('{', substr(CONCAT(CASE
      WHEN ("bookshop_publisher"."id" = ANY(%s::bigint[])
        OR (("bookshop_publisher"."id" = ANY(%s::bigint[]))) IS NOT TRUE) THEN CONCAT(
        ',"name":', to_json("bookshop_publisher"."name"))
      ELSE %s END, CASE
      WHEN ("bookshop_publisher"."id" = ANY(%s::bigint[])
        OR "bookshop_publisher"."id" = ANY(%s::bigint[])) THEN CONCAT(
        ',"country":', CASE
        WHEN ("bookshop_publisher"."country_id" IS NOT NULL
          AND ("bookshop_publisher"."country_id" = %s
            OR (("bookshop_publisher"."country_id" = ANY(%s::text[]))) IS NOT TRUE
            OR EXISTS(SELECT %s AS "a"
              FROM "bookshop_country" U0
              LEFT OUTER JOIN "bookshop_publisher" U1 ON (U0."code" = U1."country_id")
              WHERE (U0."code" = ("bookshop_publisher"."country_id")
                AND U1."id" = ANY(%s::bigint[]))
              LIMIT 1))) THEN CASE
        WHEN (EXISTS(SELECT %s AS "a"
            FROM "bookshop_country" U0
            LEFT OUTER JOIN "bookshop_publisher" U1 ON (U0."code" = U1."country_id")
            WHERE (U0."code" = ("bookshop_publisher"."country_id")
              AND U1."id" = ANY(%s::bigint[]))
            LIMIT 1)
          OR (("bookshop_publisher"."country_id" = ANY(%s::text[]))) IS NOT TRUE) THEN CONCAT('{"name":', to_json("bookshop_country"."name"), '}')
        ELSE '{}' END
        ELSE %s END)
      ELSE %s END), 2), '}') AS "json_"
FROM "bookshop_publisher"
LEFT OUTER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
WHERE "bookshop_publisher"."id" = ANY(ARRAY(SELECT "bookshop_publisher"."id" AS "pk_"
    FROM "bookshop_publisher"
    LEFT OUTER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
    WHERE ("bookshop_country"."name" = %s
      OR "bookshop_publisher"."id" = ANY(%s::bigint[]))
    ORDER BY "bookshop_publisher"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_publisher"."id" DESC
-- {scope:houses:2} {scope:houses:1}  {scope:houses:2} {scope:houses:1} aa {scope:countries:3} 1 {scope:houses:2} 1 {scope:houses:2} {scope:countries:3} null  open {scope:houses:1} {0} {1}
