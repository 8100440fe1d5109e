SELECT CONCAT('{"id":', "bookshop_author"."id",
  ',"name":', to_json("bookshop_author"."name"), '}') AS "json_"
FROM "bookshop_author"
WHERE "bookshop_author"."id" = ANY(ARRAY(SELECT "bookshop_author"."id" AS "pk_"
    FROM "bookshop_author"
    WHERE ("bookshop_author"."born" IS NOT NULL
      OR "bookshop_author"."id" = (%s::bigint))
    ORDER BY "bookshop_author"."name" COLLATE "C" ASC, "bookshop_author"."id" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_author"."name" COLLATE "C" ASC, "bookshop_author"."id" ASC
-- {caller:account_id} {0} {1}
