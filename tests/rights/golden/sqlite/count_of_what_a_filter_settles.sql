SELECT CASE
WHEN "bookshop_publisher"."id" IS NULL THEN NULL
ELSE '{}' END AS "json_", "n"."count_" AS "count_"
FROM (SELECT CASE
  WHEN (%s IN (SELECT value
      FROM json_each(%s))
    OR %s IN (SELECT value
      FROM json_each(%s))) THEN (SELECT COUNT(*) AS "count_"
    FROM "bookshop_publisher"
    WHERE "bookshop_publisher"."id" = %s)
  ELSE (SELECT COUNT(*) AS "count_"
    FROM "bookshop_publisher"
    INNER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
    WHERE ("bookshop_country"."name" = %s
      AND "bookshop_publisher"."id" = %s)) END AS "count_") "n"
LEFT JOIN "bookshop_publisher" ON ("bookshop_publisher"."id" IN (SELECT "bookshop_publisher"."id" AS "pk_"
    FROM "bookshop_publisher"
    LEFT OUTER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
    WHERE (("bookshop_country"."name" = %s
        OR "bookshop_publisher"."id" IN (SELECT value
          FROM json_each(%s)))
      AND "bookshop_publisher"."id" = %s)
    ORDER BY "bookshop_publisher"."id" DESC
    LIMIT %s OFFSET %s))
ORDER BY "bookshop_publisher"."id" DESC
-- {0} {scope:houses:2} {0} {scope:houses:1} {0} open {0} open {scope:houses:1} {0} {1} {2}
