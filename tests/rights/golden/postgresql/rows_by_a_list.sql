SELECT CONCAT('{"code":', to_json("bookshop_country"."code"), '}') AS "json_"
FROM "bookshop_country"
WHERE "bookshop_country"."code" = ANY(ARRAY(SELECT "bookshop_country"."code" AS "pk_"
    FROM "bookshop_country"
    WHERE ("bookshop_country"."code" = %s
      OR (("bookshop_country"."code" = ANY(%s::text[]))) IS NOT TRUE
      OR EXISTS(SELECT %s AS "a"
        FROM "bookshop_country" U0
        LEFT OUTER JOIN "bookshop_publisher" U1 ON (U0."code" = U1."country_id")
        WHERE (U0."code" = ("bookshop_country"."code")
          AND U1."id" = ANY(%s::bigint[]))
        LIMIT 1))
    ORDER BY "bookshop_country"."code" COLLATE "C" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_country"."code" COLLATE "C" ASC
-- aa {scope:countries:3} 1 {scope:houses:2} {0} {1}
