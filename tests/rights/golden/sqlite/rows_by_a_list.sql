SELECT ('{"code":' || json_quote("bookshop_country"."code") || '}') AS "json_"
FROM "bookshop_country"
WHERE "bookshop_country"."code" IN (SELECT "bookshop_country"."code" AS "pk_"
  FROM "bookshop_country"
  WHERE ("bookshop_country"."code" = %s
    OR (("bookshop_country"."code" IN (SELECT value
          FROM json_each(%s)))) IS NOT TRUE
    OR EXISTS(SELECT %s AS "a"
      FROM "bookshop_country" U0
      LEFT OUTER JOIN "bookshop_publisher" U1 ON (U0."code" = U1."country_id")
      WHERE (U0."code" = ("bookshop_country"."code")
        AND U1."id" IN (SELECT value
          FROM json_each(%s)))
      LIMIT 1))
  ORDER BY "bookshop_country"."code" ASC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_country"."code" ASC
-- aa {scope:countries:3} 1 {scope:houses:2} {0} {1}
