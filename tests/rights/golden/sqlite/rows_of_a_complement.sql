SELECT ('{"code":' || json_quote("bookshop_country"."code") || '}') AS "json_"
FROM "bookshop_country"
WHERE "bookshop_country"."code" IN (SELECT "bookshop_country"."code" AS "pk_"
  FROM "bookshop_country"
  WHERE ("bookshop_country"."code" = %s
    OR (("bookshop_country"."code" IN (SELECT value
          FROM json_each(%s)))) IS NOT TRUE)
  ORDER BY "bookshop_country"."code" ASC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_country"."code" ASC
-- aa {scope:countries:3} {0} {1}
