SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE EXISTS(SELECT %s AS "a"
      FROM "bookshop_edition" V0
      WHERE (V0."book_id" = ("bookshop_book"."id")
        AND EXISTS(SELECT %s AS "a"
          FROM "bookshop_publisher" U0
          WHERE (U0."id" = ("bookshop_book"."publisher_id")
            AND (V0."stock" > %s::bigint
              OR U0."name" = %s::text
              OR "bookshop_book"."pages" > %s::bigint))
          LIMIT 1))
      LIMIT 1)
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- 1 1 {0} {1} {2} {3} {4}
