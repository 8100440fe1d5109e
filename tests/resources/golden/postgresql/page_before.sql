SELECT CONCAT('{"id":', "bookshop_edition"."id", '}') AS "json_", CONCAT('[', "bookshop_edition"."position", ',', "bookshop_edition"."id", ']') AS "keys_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" = ANY(ARRAY(SELECT "bookshop_edition"."id" AS "pk_"
    FROM "bookshop_edition"
    WHERE ("bookshop_edition"."position", "bookshop_edition"."id") < (%s::bigint, %s::bigint)
    ORDER BY "bookshop_edition"."position" DESC, "bookshop_edition"."id" DESC
    LIMIT %s::bigint))
ORDER BY "bookshop_edition"."position" DESC, "bookshop_edition"."id" DESC
-- {1} {2} {0}
