SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_", CONCAT('[', to_json("bookshop_book"."slug" COLLATE "C"), ',', COALESCE(("bookshop_book"."pages")::text, 'null'), ',', "bookshop_book"."id", ']') AS "keys_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE (("bookshop_book"."slug" COLLATE "C" > %s::text
        OR ("bookshop_book"."slug" COLLATE "C" = %s::text
          AND ("bookshop_book"."pages" < %s::bigint
            OR ("bookshop_book"."pages" = %s::bigint
              AND "bookshop_book"."id" < %s::bigint))))
      AND "bookshop_book"."slug" COLLATE "C" >= %s::text)
    ORDER BY "bookshop_book"."slug" COLLATE "C" ASC, "bookshop_book"."pages" DESC, "bookshop_book"."id" DESC
    LIMIT %s::bigint))
ORDER BY "bookshop_book"."slug" COLLATE "C" ASC, "bookshop_book"."pages" DESC, "bookshop_book"."id" DESC
-- {1} {1} {2} {2} {3} {1} {0}
