SELECT CASE
WHEN "bookshop_publisher"."id" IS NULL THEN NULL
ELSE '{}' END AS "json_", "n"."count_" AS "count_"
FROM (SELECT CASE
  WHEN (%s::bigint = ANY(%s::bigint[])
    OR %s::bigint = ANY(%s::bigint[])) THEN (SELECT COUNT(*) AS "count_"
    FROM "bookshop_publisher"
    WHERE "bookshop_publisher"."id" = %s::bigint)
  ELSE (SELECT COUNT(*) AS "count_"
    FROM "bookshop_publisher"
    INNER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
    WHERE ("bookshop_country"."name" = %s
      AND "bookshop_publisher"."id" = %s::bigint)) END AS "count_") "n"
LEFT JOIN "bookshop_publisher" ON ("bookshop_publisher"."id" = ANY(ARRAY(SELECT "bookshop_publisher"."id" AS "pk_"
      FROM "bookshop_publisher"
      LEFT OUTER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
      WHERE (("bookshop_country"."name" = %s
          OR "bookshop_publisher"."id" = ANY(%s::bigint[]))
        AND "bookshop_publisher"."id" = %s::bigint)
      ORDER BY "bookshop_publisher"."id" DESC
      LIMIT %s::bigint OFFSET %s::bigint)))
ORDER BY "bookshop_publisher"."id" DESC
-- {0} {scope:houses:2} {0} {scope:houses:1} {0} open {0} open {scope:houses:1} {0} {1} {2}
