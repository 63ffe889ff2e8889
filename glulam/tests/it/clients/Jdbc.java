// The PostgreSQL door, by Java's driver: rows, parameters, metadata. The argument is the URL.

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

public class Jdbc {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("user", "test");
        properties.put("password", "test");
        try (Connection connection = DriverManager.getConnection(arguments[0], properties)) {
            rows(connection);
            fetched(connection);
            metadata(connection);
        }
    }

    /** Often enough that the driver prepares the statement and goes over to binary values. */
    static void rows(Connection connection) throws SQLException {
        String text = "SELECT id, customer, amount, day, CAST(amount AS decimal(10,2)) FROM shop.orders"
            + " WHERE id = ? AND customer = ? AND day = ?";
        try (PreparedStatement statement = connection.prepareStatement(text)) {
            for (int i = 0; i < 8; i++) {
                statement.setLong(1, 3);
                statement.setString(2, "Brian");
                statement.setDate(3, Date.valueOf("2026-01-02"));
                try (ResultSet rows = statement.executeQuery()) {
                    check(rows.next(), "a row");
                    same(3L, rows.getLong(1));
                    same("Brian", rows.getString("customer"));
                    same(100.0, rows.getDouble(3));
                    same(Date.valueOf("2026-01-02"), rows.getDate(4));
                    same(new BigDecimal("100.00"), rows.getBigDecimal(5));
                    check(!rows.next(), "one row");
                }
            }
        }
        try {
            connection.createStatement().executeQuery("SELECT * FROM shop.nothing");
            check(false, "a refusal");
        } catch (SQLException error) {
            same("42P01", error.getSQLState());
        }
    }

    /** A block with a fetch size: the driver reads by portal, some rows at a time. */
    static void fetched(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT g FROM generate_series(1, 5000) g")) {
            statement.setFetchSize(100);
            long sum = 0;
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    sum += rows.getLong(1);
                }
            }
            same(12502500L, sum);
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    static void metadata(Connection connection) throws SQLException {
        DatabaseMetaData data = connection.getMetaData();
        check(data.getDatabaseProductVersion().startsWith("16"), data.getDatabaseProductVersion());
        check(all(data.getSchemas(), "TABLE_SCHEM").contains("shop"), "the schema");
        same(List.of("orders", "totals"), sorted(all(data.getTables(null, "shop", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME")));
        same(List.of("id", "customer", "amount", "day"), all(data.getColumns(null, "shop", "orders", "%"), "COLUMN_NAME"));
        same(List.of("int8", "text", "float8", "date"), all(data.getColumns(null, "shop", "orders", "%"), "TYPE_NAME"));
        same(List.of(), all(data.getPrimaryKeys(null, "shop", "orders"), "COLUMN_NAME"));
        same(List.of(), all(data.getIndexInfo(null, "shop", "orders", false, false), "INDEX_NAME"));
        same(List.of(), all(data.getImportedKeys(null, "shop", "orders"), "FKCOLUMN_NAME"));
    }

    static List<String> all(ResultSet rows, String column) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) {
            found.add(rows.getString(column));
        }
        rows.close();
        return found;
    }

    static List<String> sorted(List<String> all) {
        all.sort(null);
        return all;
    }

    static void same(Object expected, Object found) {
        check(expected.equals(found), expected + " was expected, not " + found);
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
